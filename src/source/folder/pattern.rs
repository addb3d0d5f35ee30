//! Names of files with `*` and `?`, without regard to case.

/// A pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Vec<char>);

impl Pattern {
    /// `*` stands for any characters, `?` for one.
    pub fn new(text: &str) -> Pattern {
        Pattern(text.trim().to_lowercase().chars().collect())
    }

    /// Whether the whole name fits.
    pub fn fits(&self, name: &str) -> bool {
        let name: Vec<char> = name.to_lowercase().chars().collect();
        let (mut at, mut seen) = (0, 0);
        // Where the latest star stands, and how much of the name it has taken.
        let mut star: Option<(usize, usize)> = None;
        while seen < name.len() {
            match self.0.get(at) {
                Some('*') => {
                    star = Some((at, seen));
                    at += 1;
                }
                Some(it) if *it == '?' || *it == name[seen] => {
                    at += 1;
                    seen += 1;
                }
                Some(_) | None => match star {
                    Some((place, taken)) => {
                        star = Some((place, taken + 1));
                        at = place + 1;
                        seen = taken + 1;
                    }
                    None => return false,
                },
            }
        }
        self.0[at..].iter().all(|it| *it == '*')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_whole_names() {
        for (pattern, name, fits) in [
            ("*", "Клиенты.xlsx", true),
            ("клиенты*.xlsx", "Клиенты 2026.XLSX", true),
            ("*.csv", "a.csv.part", false),
            ("?.csv", "a.csv", true),
            ("?.csv", "ab.csv", false),
            ("a*b*c", "axxbyybzzc", true),
            ("a*b*c", "axxbyyb", false),
            ("", "a", false),
        ] {
            assert_eq!(Pattern::new(pattern).fits(name), fits, "{pattern} {name}");
        }
    }
}
