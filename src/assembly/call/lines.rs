//! Which channels are lines to the outside and which are employees, by name.

use compact_str::CompactString;

/// Where a channel leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Out of the company.
    Trunk,
    /// To an employee: his extension.
    Extension(CompactString),
    /// Nowhere by itself: a Local channel joins two others.
    Local,
    /// Neither: an announcement, a recording, a conference.
    Other,
}

/// How names of channels are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines {
    /// Names that are lines to the outside whatever they look like.
    pub trunks: Vec<String>,
    /// Names that are employees whatever they look like.
    pub extensions: Vec<String>,
    /// How many digits an extension has at the most.
    pub extension_digits_max: usize,
}

impl Default for Lines {
    fn default() -> Lines {
        Lines { trunks: Vec::new(), extensions: Vec::new(), extension_digits_max: 5 }
    }
}

/// Technologies of channels that people speak over.
const SPOKEN: [&str; 11] =
    ["PJSIP", "SIP", "IAX2", "DAHDI", "SCCP", "SKINNY", "UNISTIM", "OOH323", "MOTIF", "DONGLE", "KHOMP"];

/// Technology and name of a channel: `PJSIP/trunk-0000003a` is (`PJSIP`, `trunk`).
pub(super) fn named(channel: &str) -> (&str, &str) {
    let channel = channel.strip_prefix("AsyncGoto/").unwrap_or(channel);
    let (technology, rest) = channel.split_once('/').unwrap_or(("", channel));
    let name = rest.rsplit_once('-').map_or(rest, |(name, _)| name);
    (technology, name)
}

impl Lines {
    /// Where a channel leads.
    pub fn place(&self, channel: &str) -> Place {
        let (technology, name) = named(channel);
        let is_in = |list: &[String]| list.iter().any(|it| it.eq_ignore_ascii_case(name));
        if technology.eq_ignore_ascii_case("Local") {
            return Place::Local;
        }
        if is_in(&self.trunks) {
            return Place::Trunk;
        }
        if is_in(&self.extensions) || self.is_extension(name) {
            return Place::Extension(name.into());
        }
        match SPOKEN.into_iter().any(|it| technology.eq_ignore_ascii_case(it)) {
            true => Place::Trunk,
            false => Place::Other,
        }
    }

    /// Whether a number is one of ours within the company.
    pub fn is_extension(&self, number: &str) -> bool {
        (2..=self.extension_digits_max).contains(&number.len()) && number.bytes().all(|it| it.is_ascii_digit())
    }
}

/// Whether a number tells nobody: hidden by the caller or not given by the line.
pub(super) fn is_hidden(number: &str) -> bool {
    !number.bytes().any(|it| it.is_ascii_digit())
}

/// The Local channel that this is a half of: `Local/101@from-internal-00000002;2`.
pub(super) fn local_pair(channel: &str) -> Option<&str> {
    let pair = channel.strip_suffix(";1").or_else(|| channel.strip_suffix(";2"))?;
    pair.starts_with("Local/").then_some(pair)
}

/// The number in a dialling string: `PJSIP/79035550011@trunk`, `SIP/trunk/79035550011`,
/// `79035550011@trunk`.
pub(super) fn dialled(text: &str) -> &str {
    let last = text.rsplit('/').next().unwrap_or(text);
    last.split(['@', ',', '^', ':']).next().unwrap_or(last)
}
