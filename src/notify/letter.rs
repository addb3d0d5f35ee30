//! What is told, in words and as data.

use compact_str::CompactString;
use serde_json::{Value as Json, json};

use crate::alarm::{Alarm, Condition, Notice};
use crate::base::{Locale, Message, Timestamp};

/// One message to people and programs.
#[derive(Debug, Clone, PartialEq)]
pub struct Letter {
    /// Names it: the same in every attempt.
    pub id: String,
    /// When it was written.
    pub at: Timestamp,
    /// The headline.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The same for programs.
    pub data: Json,
}

/// Who writes, and how.
struct Writer<'a> {
    company: &'a str,
    locale: Locale,
    local: &'a dyn Fn(Timestamp) -> String,
}

/// What a notice says. `local` writes an instant in the company's zone.
pub fn letter(
    notice: &Notice,
    company: &str,
    locale: Locale,
    at: Timestamp,
    local: &dyn Fn(Timestamp) -> String,
) -> Letter {
    let writer = Writer { company, locale, local };
    let mut text = String::new();
    writer.section(&mut text, "notify-raised", &notice.raised);
    writer.section(&mut text, "notify-lasting", &notice.lasting);
    if !notice.ended.is_empty() {
        text.push_str(&writer.say(&Message::new("notify-ended")));
        text.push('\n');
        for (condition, subject) in &notice.ended {
            text.push_str(&format!("  {}\n", writer.named(*condition, subject)));
        }
        text.push('\n');
    }
    text.push_str(&writer.say(&Message::new("notify-foot")));
    text.push('\n');
    let data = json!({
        "type": "alarms",
        "timestamp": at.to_string(),
        "data": {
            "company": company,
            "raised": notice.raised.iter().map(|it| writer.data(it)).collect::<Vec<_>>(),
            "lasting": notice.lasting.iter().map(|it| writer.data(it)).collect::<Vec<_>>(),
            "ended": notice.ended.iter().map(|(condition, subject)| json!({
                "id": condition.id(),
                "subject": subject.as_str(),
            })).collect::<Vec<_>>(),
        },
    });
    Letter { id: notice.id.clone(), at, subject: writer.headline(notice), text, data }
}

/// A letter for trial.
pub fn trial(id: String, company: &str, locale: Locale, at: Timestamp) -> Letter {
    let subject = Message::new("notify-trial-subject").with("company", titled(company)).render(locale);
    let text = format!("{}\n", Message::new("notify-trial").render(locale));
    let data = json!({ "type": "trial", "timestamp": at.to_string(), "data": { "company": company } });
    Letter { id, at, subject, text, data }
}

fn titled(company: &str) -> String {
    // Line ends would end the headline; a name needs none.
    let name: String = company.chars().filter(|it| !it.is_control()).collect();
    if name.trim().is_empty() { String::new() } else { format!(" ({})", name.trim()) }
}

impl Writer<'_> {
    fn say(&self, message: &Message) -> String {
        message.render(self.locale)
    }

    fn headline(&self, notice: &Notice) -> String {
        let first = notice.raised.first().or(notice.lasting.first().filter(|_| notice.ended.is_empty()));
        let others = notice.raised.len().saturating_sub(1);
        let company = titled(self.company);
        self.say(&match (first, others) {
            (None, _) => Message::new("notify-subject-ended").with("company", company),
            (Some(first), 0) => {
                Message::new("notify-subject").with("company", company).with("what", self.say(&first.what))
            }
            (Some(first), others) => Message::new("notify-subject-more")
                .with("company", company)
                .with("what", self.say(&first.what))
                .with("others", others),
        })
    }

    fn section(&self, text: &mut String, heading: &str, alarms: &[Alarm]) {
        if alarms.is_empty() {
            return;
        }
        text.push_str(&self.say(&Message { id: heading.into(), args: Vec::new() }));
        text.push('\n');
        for alarm in alarms {
            let severity = Message { id: format!("notify-{}", alarm.severity.name()).into(), args: Vec::new() };
            text.push_str(&format!("  {}: {}\n", self.say(&severity), self.say(&alarm.what)));
            if let Some(since) = alarm.since {
                let since = Message::new("notify-since").with("since", (self.local)(since));
                text.push_str(&format!("    {}\n", self.say(&since)));
            }
            text.push_str(&format!("    {}\n", self.say(&alarm.next)));
        }
        text.push('\n');
    }

    /// A condition that holds no more has no text of its own.
    fn named(&self, condition: Condition, subject: &CompactString) -> String {
        let named = self.say(&Message { id: format!("notify-of-{}", condition.id()).into(), args: Vec::new() });
        if subject.is_empty() { named } else { format!("{named}: {subject}") }
    }

    fn data(&self, alarm: &Alarm) -> Json {
        json!({
            "id": alarm.key.condition.id(),
            "subject": alarm.key.subject.as_str(),
            "severity": alarm.severity.name(),
            "since": alarm.since.map(|it| it.to_string()),
            "what": self.say(&alarm.what),
            "next": self.say(&alarm.next),
        })
    }
}
