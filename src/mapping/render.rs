//! A mapped record as lines that a person can read and compare: `client.phone = +79001234567`.
//! Used by cases, by lint and by `uzel explain`; never by a log: it shows personal data.

use super::Mapped;
use crate::model::change::{ClientChange, DealChange, DealStateChange, DocumentChange, InteractionChange};
use crate::model::{
    Change, ClientKind, ContactPoint, Direction, DocumentKind, FilterReason, Line, LostReason, Money, Name, Standing,
    Utm,
};

struct Lines(Vec<String>);

impl Lines {
    fn put(&mut self, name: &str, value: impl std::fmt::Display) {
        let value = value.to_string().replace('\n', "\\n");
        self.0.push(format!("{name} = {value}"));
    }

    fn maybe<T: std::fmt::Display>(&mut self, name: &str, value: Option<&T>) {
        value.into_iter().for_each(|value| self.put(name, value));
    }

    fn filled(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.put(name, text);
        }
    }
}

impl Mapped {
    /// The record in lines, in the order of the reference.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Lines(Vec::new());
        match self {
            Mapped::Refused(message) => {
                let field = message.args.iter().find(|(name, _)| name == "field" || name == "fields");
                lines.put("refused", format_args!("{} {}", message.id, field.map_or("", |(_, value)| value)));
            }
            Mapped::Change(change) => change_lines(change, &mut lines),
        }
        lines.0
    }

    /// The lines that say whom and what the record is about: what two copies of one record, in
    /// whatever dress, must have in common.
    pub fn identity_lines(&self) -> Vec<String> {
        const TELLING: [&str; 7] = [
            "refused ",
            "filter ",
            "client.",
            "deal.foreign",
            "document.foreign",
            "document.number ",
            "document.kind ",
        ];
        const BESIDE: [&str; 4] = ["client.address", "client.responsible", "client.decides", "client.known_since"];
        let starts = |line: &String, with: &[&str]| with.iter().any(|it| line.starts_with(it));
        let mut lines: Vec<String> = self
            .lines()
            .into_iter()
            .filter(|line| starts(line, &TELLING) && !starts(line, &BESIDE))
            // Nobody tells two mailboxes apart by case.
            .map(|line| if line.starts_with("client.email") { line.to_lowercase() } else { line })
            .collect();
        lines.sort();
        lines
    }
}

fn change_lines(change: &Change, lines: &mut Lines) {
    let Change {
        filter,
        observed_at,
        client,
        deal,
        document,
        interaction,
        issues,
        lookups,
        told_by: _,
        extra,
        refers: _,
    } = change;
    lines.maybe("filter", filter.map(filter_name).as_ref());
    lines.maybe("observed_at", observed_at.as_ref());
    client_lines(client, lines);
    deal.iter().for_each(|deal| deal_lines(deal, lines));
    document.iter().for_each(|document| document_lines(document, lines));
    interaction.iter().for_each(|interaction| interaction_lines(interaction, lines));
    for issue in issues {
        lines.put("issue", format_args!("{} {}", issue.field, issue.message.id));
    }
    for (field, dictionary) in lookups {
        lines.put(&format!("{field}.lookup"), dictionary);
    }
    for (name, value) in extra {
        lines.put(&format!("extra.{name}"), value);
    }
}

fn client_lines(client: &ClientChange, lines: &mut Lines) {
    let ClientChange {
        kind,
        standing,
        foreign,
        name,
        inn,
        kpp,
        ogrn,
        address,
        responsible,
        decides,
        known_since,
        contacts,
    } = client;
    let kind = kind.map(|it| match it {
        ClientKind::Person => "person",
        ClientKind::Company => "company",
    });
    lines.maybe("client.kind", kind.as_ref());
    lines.maybe("client.standing", standing.map(standing_name).as_ref());
    for (kind, id) in foreign {
        lines.put(&format!("client.foreign.{kind}"), id);
    }
    match name {
        Some(Name::Person(person)) => {
            lines.filled("client.surname", &person.surname);
            lines.filled("client.given", &person.given);
            lines.filled("client.patronymic", &person.patronymic);
        }
        Some(Name::Company(company)) => lines.put("client.company", &company.full),
        None => {}
    }
    lines.maybe("client.inn", inn.as_ref());
    lines.maybe("client.kpp", kpp.as_ref());
    lines.maybe("client.ogrn", ogrn.as_ref());
    lines.maybe("client.address", address.as_ref());
    lines.maybe("client.responsible", responsible.as_ref());
    lines.maybe("client.decides", decides.as_ref());
    lines.maybe("client.known_since", known_since.as_ref());
    for contact in contacts {
        match contact {
            ContactPoint::Phone(phone) => match &phone.extension {
                Some(extension) => lines.put("client.phone", format_args!("{};{extension}", phone.e164)),
                None => lines.put("client.phone", &phone.e164),
            },
            ContactPoint::Email(email) => lines.put("client.email", &email.address),
            ContactPoint::Messenger(name, id) => lines.put(&format!("client.messenger.{name}"), id),
            ContactPoint::Visitor(id) => lines.put("client.visitor", id),
        }
    }
}

fn deal_lines(deal: &DealChange, lines: &mut Lines) {
    let DealChange {
        foreign,
        title,
        created_at,
        pipeline,
        stage,
        stage_since,
        state,
        price,
        source,
        utm,
        responsible,
        comment,
        product_line,
        close_date,
        client_replied_at,
        next_step,
        deferred,
        lines: goods,
        no_lines,
    } = deal;
    lines.put("deal", "told");
    for (kind, id) in foreign {
        lines.put(&format!("deal.foreign.{kind}"), id);
    }
    lines.maybe("deal.title", title.as_ref());
    lines.maybe("deal.created_at", created_at.as_ref());
    lines.maybe("deal.pipeline", pipeline.as_ref());
    lines.maybe("deal.stage", stage.as_ref());
    lines.maybe("deal.stage_since", stage_since.as_ref());
    lines.maybe("deal.state", state.map(state_name).as_ref());
    lines.maybe("deal.price", price.as_ref().map(money).as_ref());
    lines.maybe("deal.source", source.as_ref());
    utm_lines(utm, lines);
    lines.maybe("deal.responsible", responsible.as_ref());
    lines.maybe("deal.comment", comment.as_ref());
    lines.maybe("deal.product_line", product_line.as_ref());
    lines.maybe("deal.close_date", close_date.as_ref());
    lines.maybe("deal.client_replied_at", client_replied_at.as_ref());
    lines.maybe("deal.next_step", next_step.as_ref());
    lines.maybe("deal.deferred", deferred.as_ref());
    goods_lines("deal.line", goods, lines);
    if *no_lines {
        lines.put("deal.line", "none");
    }
}

fn utm_lines(utm: &Utm, lines: &mut Lines) {
    lines.filled("deal.utm.source", &utm.source);
    lines.filled("deal.utm.medium", &utm.medium);
    lines.filled("deal.utm.campaign", &utm.campaign);
    lines.filled("deal.utm.content", &utm.content);
    lines.filled("deal.utm.term", &utm.term);
    for (name, id) in &utm.clicks {
        lines.put(&format!("deal.utm.clicks.{name}"), id);
    }
}

fn document_lines(document: &DocumentChange, lines: &mut Lines) {
    let DocumentChange {
        kind,
        foreign,
        number,
        basis,
        date,
        number_1c,
        sum,
        posted,
        deletion_mark,
        cancelled,
        paid,
        shipped,
        status,
        comment,
        lines: goods,
    } = document;
    lines.put("document.kind", document_name(*kind));
    for (kind, id) in foreign {
        lines.put(&format!("document.foreign.{kind}"), id);
    }
    lines.maybe("document.number", number.as_ref());
    lines.maybe("document.basis", basis.as_ref());
    lines.maybe("document.date", date.as_ref());
    lines.maybe("document.number_1c", number_1c.as_ref());
    lines.maybe("document.sum", sum.as_ref().map(money).as_ref());
    lines.maybe("document.posted", posted.as_ref());
    lines.maybe("document.deletion_mark", deletion_mark.as_ref());
    lines.maybe("document.cancelled", cancelled.as_ref());
    lines.maybe("document.paid", paid.as_ref());
    lines.maybe("document.shipped", shipped.as_ref());
    lines.maybe("document.status", status.as_ref());
    lines.maybe("document.comment", comment.as_ref());
    goods_lines("document.line", goods, lines);
}

fn interaction_lines(interaction: &InteractionChange, lines: &mut Lines) {
    let InteractionChange { kind, foreign, direction, at, ended_at, who, result, subject, text, page } = interaction;
    let direction = match direction {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
        Direction::Internal => "internal",
    };
    lines.put("interaction", format_args!("{} {direction}", super::outbound::interaction_name(*kind)));
    for (kind, id) in foreign {
        lines.put(&format!("interaction.foreign.{kind}"), id);
    }
    lines.maybe("interaction.at", at.as_ref());
    lines.maybe("interaction.ended_at", ended_at.as_ref());
    lines.maybe("interaction.who", who.as_ref());
    lines.filled("interaction.result", result);
    lines.filled("interaction.subject", subject);
    lines.filled("interaction.text", text);
    lines.filled("interaction.page", page);
}

fn goods_lines(name: &str, goods: &[Line], lines: &mut Lines) {
    for Line { product, name: title, quantity, price, sum } in goods {
        lines.put(name, format_args!("{product} | {title} | {quantity} x {price} = {sum}"));
    }
}

fn money(money: &Money) -> String {
    money.to_string()
}

fn filter_name(reason: FilterReason) -> &'static str {
    match reason {
        FilterReason::Test => "test",
        FilterReason::Spam => "spam",
        FilterReason::NotUsed => "not_used",
        FilterReason::Internal => "internal",
        FilterReason::Erased => "erased",
    }
}

fn standing_name(standing: Standing) -> &'static str {
    match standing {
        Standing::Client => "client",
        Standing::Own => "own",
        Standing::Supplier => "supplier",
        Standing::Courier => "courier",
        Standing::Applicant => "applicant",
        Standing::Spam => "spam",
    }
}

fn state_name(state: DealStateChange) -> &'static str {
    match state {
        DealStateChange::Open => "open",
        DealStateChange::Won => "won",
        DealStateChange::Lost(LostReason::Other) => "lost",
        DealStateChange::Lost(LostReason::Refused) => "refused",
        DealStateChange::Lost(LostReason::Junk) => "junk",
    }
}

fn document_name(kind: DocumentKind) -> &'static str {
    match kind {
        DocumentKind::Order => "order",
        DocumentKind::Invoice => "invoice",
        DocumentKind::Shipment => "shipment",
        DocumentKind::Payment => "payment",
        DocumentKind::Return => "return",
        DocumentKind::Contract => "contract",
    }
}
