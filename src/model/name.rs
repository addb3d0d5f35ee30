//! Names of people and companies.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

/// A person's name in its parts. At least one part is filled. Made by `normalize::name`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct PersonName {
    /// Фамилия.
    pub surname: CompactString,
    /// Имя.
    pub given: CompactString,
    /// Отчество.
    pub patronymic: CompactString,
}

/// A company's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CompanyName {
    /// As people write it: `ООО «Ромашка»`.
    pub full: CompactString,
    /// Legal form in short, upper case, empty when unknown: `ООО`, `ИП`, `ПАО`.
    pub form: CompactString,
    /// Without form and quotes: `Ромашка`.
    pub bare: CompactString,
}

/// Name of a client.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Name {
    /// Of a person.
    Person(PersonName),
    /// Of a company.
    Company(CompanyName),
}

impl PersonName {
    /// Surname, given name and patronymic with single spaces.
    pub fn shown(&self) -> String {
        let parts = [&self.surname, &self.given, &self.patronymic];
        parts.into_iter().filter(|part| !part.is_empty()).map(|part| part.as_str()).collect::<Vec<_>>().join(" ")
    }
}

impl Name {
    /// As people read it.
    pub fn shown(&self) -> String {
        match self {
            Name::Person(person) => person.shown(),
            Name::Company(company) => company.full.to_string(),
        }
    }
}
