//! A certificate with its key, read from PEM.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;

use super::CertificateError;
use crate::base::checksum::Fingerprint;
use crate::base::limits::CERTIFICATE_FILE_BYTES_MAX;
use crate::base::{Message, Timestamp};

/// A certificate with the way to its authority, and its key.
#[derive(Debug)]
pub struct Pair {
    /// What rustls serves.
    pub(super) key: Arc<CertifiedKey>,
    /// From when it holds.
    pub not_before: Timestamp,
    /// Until when it holds.
    pub not_after: Timestamp,
    /// Of the texts that it was read from.
    pub fingerprint: Fingerprint,
}

impl Pair {
    /// Reads two files. The texts come with it, so that a look that finds the same costs nothing more.
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Pair, CertificateError> {
        let (chain, secret) = (read(certificate)?, read(key)?);
        let refused = |id: &str, path: &Path| {
            CertificateError(Message::new(id).with("path", path.display()).with("certificate", certificate.display()))
        };
        Pair::parse(&chain, &secret).map_err(|fault| match fault {
            Fault::NoCertificate => refused("certificate-none", certificate),
            Fault::Unreadable => refused("certificate-unreadable", certificate),
            Fault::NoKey => refused("certificate-no-key", key),
            Fault::WrongKey => refused("certificate-wrong-key", key),
        })
    }

    /// Of the same texts as `self`?
    pub fn is_of(&self, certificate: &Path, key: &Path) -> Result<bool, CertificateError> {
        Ok(fingerprint(&read(certificate)?, &read(key)?) == self.fingerprint)
    }

    pub(super) fn parse(chain: &[u8], secret: &[u8]) -> Result<Pair, Fault> {
        let certificates: Vec<CertificateDer<'static>> =
            CertificateDer::pem_slice_iter(chain).collect::<Result<_, _>>().map_err(|_| Fault::Unreadable)?;
        let first = certificates.first().ok_or(Fault::NoCertificate)?;
        let (not_before, not_after) = validity(first).ok_or(Fault::Unreadable)?;
        let key = PrivateKeyDer::from_pem_slice(secret).map_err(|_| Fault::NoKey)?;
        let key = CertifiedKey::from_der(certificates, key, &ring::default_provider());
        let key = Arc::new(key.map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => Fault::WrongKey,
            rustls::Error::InvalidCertificate(_) => Fault::Unreadable,
            _ => Fault::NoKey,
        })?);
        Ok(Pair { key, not_before, not_after, fingerprint: fingerprint(chain, secret) })
    }

    /// Whether a client that asks for `domain` takes this certificate.
    pub fn covers(&self, domain: &str) -> bool {
        let parsed = self.key.cert.first().map(ParsedCertificate::try_from);
        match (parsed, ServerName::try_from(domain)) {
            (Some(Ok(parsed)), Ok(name)) => rustls::client::verify_server_name(&parsed, &name).is_ok(),
            (Some(Err(_)) | None, _) | (_, Err(_)) => false,
        }
    }

    /// Whether it has run out.
    pub fn has_run_out(&self, now: Timestamp) -> bool {
        self.not_after <= now
    }

    /// When the next one is to be ordered: two thirds through its life, whatever its length.
    pub fn renew_at(&self) -> Timestamp {
        let life = self.not_after.ms_since(self.not_before);
        self.not_before.plus_ms(life - life / 3)
    }
}

/// Why two texts are no pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    NoCertificate,
    Unreadable,
    NoKey,
    WrongKey,
}

fn fingerprint(chain: &[u8], secret: &[u8]) -> Fingerprint {
    Fingerprint::of(&[chain, b"\0", secret].concat())
}

fn read(path: &Path) -> Result<Vec<u8>, CertificateError> {
    let failed = |error: std::io::Error| {
        CertificateError(Message::new("certificate-file").with("path", path.display()).with("cause", error))
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(CERTIFICATE_FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > CERTIFICATE_FILE_BYTES_MAX {
        let message = Message::new("certificate-large").with("path", path.display());
        return Err(CertificateError(message.with("max", CERTIFICATE_FILE_BYTES_MAX)));
    }
    Ok(bytes)
}

/// `notBefore` and `notAfter` of a certificate (RFC 5280, 4.1): the fifth part of its first part,
/// the fourth where the version is left out.
fn validity(certificate: &[u8]) -> Option<(Timestamp, Timestamp)> {
    let (_, whole, _) = part(certificate)?;
    let (_, mut rest, _) = part(whole)?;
    // The version comes first, marked [0], when there is one.
    if rest.first() == Some(&0xA0) {
        rest = part(rest)?.2;
    }
    // Serial number, algorithm, issuer.
    for _ in 0..3 {
        rest = part(rest)?.2;
    }
    let (_, times, _) = part(rest)?;
    let (kind, before, times) = part(times)?;
    let (kind_after, after, _) = part(times)?;
    Some((time(kind, before)?, time(kind_after, after)?))
}

/// A part of DER: its tag, its content, what follows.
fn part(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (len, rest) = match first {
        0..=0x7F => (usize::from(first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
            (digits.iter().fold(0, |len, &digit| len << 8 | usize::from(digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(len)?;
    Some((tag, content, rest))
}

/// `YYMMDDHHMMSSZ` (1950 to 2049) or `YYYYMMDDHHMMSSZ`.
fn time(kind: u8, text: &[u8]) -> Option<Timestamp> {
    const UTC_TIME: u8 = 0x17;
    const GENERALIZED_TIME: u8 = 0x18;
    let text = std::str::from_utf8(text).ok()?;
    let text = match kind {
        UTC_TIME if text.len() == 13 => format!("{}{text}", if text < "50" { "20" } else { "19" }),
        GENERALIZED_TIME if text.len() == 15 => text.to_owned(),
        _ => return None,
    };
    let civil = jiff::civil::DateTime::strptime("%Y%m%d%H%M%SZ", &text).ok()?;
    let zoned = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(Timestamp::from_jiff(zoned.timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(from: (i32, u8), to: (i32, u8)) -> (String, String) {
        let key = rcgen::KeyPair::generate().expect("a key");
        let mut params = rcgen::CertificateParams::new(vec!["in.company.ru".to_owned()]).expect("a name");
        params.not_before = rcgen::date_time_ymd(from.0, from.1, 1);
        params.not_after = rcgen::date_time_ymd(to.0, to.1, 1);
        (params.self_signed(&key).expect("it is signed").pem(), key.serialize_pem())
    }

    #[test]
    fn times_are_read_in_both_their_forms() {
        let day = |text: &str| Timestamp::from_jiff(text.parse().expect("a literal time"));
        for (from, to, expected) in [
            ((2026, 1), (2026, 4), ("2026-01-01T00:00:00Z", "2026-04-01T00:00:00Z")),
            // From 2050 on the year has four digits.
            ((1999, 12), (2051, 2), ("1999-12-01T00:00:00Z", "2051-02-01T00:00:00Z")),
        ] {
            let (chain, key) = made(from, to);
            let pair = Pair::parse(chain.as_bytes(), key.as_bytes()).expect("a pair");
            assert_eq!((pair.not_before, pair.not_after), (day(expected.0), day(expected.1)));
            assert!(pair.covers("in.company.ru") && !pair.covers("other.ru") && !pair.covers("not a name"));
        }
        let (chain, key) = made((2026, 1), (2026, 4));
        let pair = Pair::parse(chain.as_bytes(), key.as_bytes()).expect("a pair");
        assert_eq!(pair.renew_at(), day("2026-03-02T00:00:00Z"), "after 60 days of 90");
    }

    #[test]
    fn what_is_no_pair_is_told_apart() {
        let (chain, key) = made((2026, 1), (2026, 4));
        let (_, other_key) = made((2026, 1), (2026, 4));
        let fault = |chain: &str, key: &str| Pair::parse(chain.as_bytes(), key.as_bytes()).expect_err("no pair");
        assert_eq!(fault("", &key), Fault::NoCertificate);
        assert_eq!(fault(&key, &key), Fault::NoCertificate);
        assert_eq!(fault(&chain, ""), Fault::NoKey);
        assert_eq!(fault(&chain, &chain), Fault::NoKey);
        assert_eq!(fault(&chain, &other_key), Fault::WrongKey);
        let broken = "-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n";
        assert_eq!(fault(broken, &key), Fault::Unreadable);
    }

    #[test]
    fn no_bytes_make_the_reader_panic() {
        let (chain, _) = made((2026, 1), (2026, 4));
        let whole = CertificateDer::from_pem_slice(chain.as_bytes()).expect("a certificate");
        for len in 0..whole.len() {
            assert!(validity(&whole[..len]).is_none(), "cut at {len}");
            let mut spoilt = whole.to_vec();
            spoilt[len] ^= 0xFF;
            let _may_be_read = validity(&spoilt);
        }
    }
}
