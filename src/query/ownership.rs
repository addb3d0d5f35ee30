//! Whose word counts for which field, and where the field is written: one table, read off the rules
//! and mappings that are in force.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Query;
use crate::base::{Locale, Message};
use crate::mapping::outbound::Keep;

/// One field.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct OwnershipView {
    /// `client` or `deal`.
    pub object: String,
    /// The field.
    pub field: String,
    /// The line of `rules/ownership.toml` that decides.
    pub group: String,
    /// Connections whose word counts before that of others, the strongest first. None: the newest
    /// word counts, whoever says it.
    pub owners: Vec<String>,
    /// The rule in words.
    pub rule: String,
    /// Where it is written.
    pub written: Vec<WrittenView>,
}

/// A field of a foreign system that we write.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct WrittenView {
    /// The connection.
    pub sink: String,
    /// The foreign kind.
    pub kind: String,
    /// The field there.
    pub field: String,
    /// `kept`, `created`, `unless_owned`, `unless_rules`.
    pub keep: String,
    /// The same in words.
    pub how: String,
}

/// Object, field, its group in the rules, and how outbound mappings name it: a name, or the
/// beginning of one.
const FIELDS: [(&str, &str, &str, &str); 20] = [
    ("client", "name", "name", "client.name"),
    ("client", "inn", "requisites", "client.inn"),
    ("client", "kpp", "requisites", "client.kpp"),
    ("client", "ogrn", "requisites", "client.ogrn"),
    ("client", "contact", "contacts", "client.contacts"),
    ("client", "address", "client", "client.address"),
    ("client", "responsible", "responsible", "client.responsible"),
    ("deal", "title", "deal", "deal.title"),
    ("deal", "pipeline", "stage", "deal.pipeline"),
    ("deal", "stage", "stage", "deal.stage"),
    ("deal", "state", "stage", "deal.state"),
    ("deal", "price", "money", "deal.price"),
    ("deal", "paid", "documents", "deal.paid"),
    ("deal", "source", "deal", "deal.source"),
    ("deal", "responsible", "responsible", "deal.responsible"),
    ("deal", "comment", "comment", "deal.comment"),
    ("deal", "product_line", "deal", "deal.product_line"),
    ("deal", "close_date", "deal", "deal.close_date"),
    ("deal", "utm", "deal", "deal.utm"),
    ("deal", "score", "", "score"),
];

impl Query {
    /// The table.
    pub fn ownership(&self, locale: Locale) -> Vec<OwnershipView> {
        let line = |(object, field, group, name): &(&str, &str, &str, &str)| {
            let owners = self.owners(group);
            let message = match (group.is_empty(), *group, owners.is_empty()) {
                (true, ..) => Message::new("ownership-ours"),
                (false, "contacts", _) => Message::new("ownership-all-kept"),
                (false, _, true) => Message::new("ownership-newest"),
                (false, _, false) => Message::new("ownership-owners").with("owners", owners.join(" > ")),
            };
            OwnershipView {
                object: (*object).to_owned(),
                field: (*field).to_owned(),
                group: (*group).to_owned(),
                owners,
                rule: message.render(locale),
                written: self.written(object, name, locale),
            }
        };
        FIELDS.iter().map(line).collect()
    }

    /// Connections that own a group. The rules name connectors: every connection of one counts alike.
    fn owners(&self, group: &str) -> Vec<String> {
        let owners = self.catalog.ownership.owners(group);
        let of = |owner: &str| {
            let all = self.catalog.connections().filter(|it| *it.connector.slug == *owner);
            all.map(|it| it.name.to_string()).collect::<Vec<_>>()
        };
        owners.into_iter().map(of).filter(|names| !names.is_empty()).map(|names| names.join(" = ")).collect()
    }

    fn written(&self, object: &str, name: &str, locale: Locale) -> Vec<WrittenView> {
        let mut all = Vec::new();
        let is_it = |from: &str| from == name || from.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        for connection in self.catalog.sinks() {
            let objects = connection.connector.sink.iter().flat_map(|sink| &sink.objects);
            for spec in objects {
                let Some(mapping) = connection.outbound(&spec.mapping) else { continue };
                // A score is of a client too: its class.
                let of = mapping.object().name();
                if of != object {
                    continue;
                }
                let fields = mapping.written().filter(|it| it.from.iter().any(|from| is_it(from)));
                all.extend(fields.map(|it| {
                    WrittenView {
                        sink: connection.name.to_string(),
                        kind: spec.kind.to_string(),
                        field: it.to.to_owned(),
                        keep: it.keep.name().to_owned(),
                        how: Message::new(match it.keep {
                            Keep::Kept => "ownership-kept",
                            Keep::Created => "ownership-created",
                            Keep::UnlessOwned => "ownership-unless-owned",
                            Keep::UnlessRules => "ownership-unless-rules",
                        })
                        .render(locale),
                    }
                }));
            }
        }
        all
    }
}
