//! `/`: the page of the head of sales. The two total lines, deals by priority, what waits, what is
//! wrong. Each number leads to the deals behind it; each deal says why it stands where it stands.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query as Params, Request, State};
use axum::response::Response;
use serde::Deserialize;

use super::tasks::{TaskRow, task_rows};
use super::{Fault, Frame, Trouble, Visitor, Web, code, frame, other, words};
use crate::base::limits::{PRIORITY_ROWS, PRIORITY_TASKS, RANKED_DEALS_MAX};
use crate::base::{Locale, Message};
use crate::model::Class;
use crate::query::Listing;
use crate::query::priority::{PriorityAsked, PriorityLine, PriorityView};
use crate::query::ranking::{Only, Place, Progress};

/// Seconds after which a page that is still counting is asked for again.
const LOOK_AGAIN_S: u32 = 2;

/// What stands in the address. What does not read is as if it were not there.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct SalesParams {
    lang: Option<Locale>,
    class: Option<String>,
    /// Whose deals; empty: nobody's.
    of: Option<String>,
    show: Option<String>,
    after: Option<String>,
}

/// What the reader has chosen; every link of the page is this with a change.
#[derive(Debug, Clone, PartialEq)]
struct Chosen {
    /// Only when the address says so.
    lang: Option<Locale>,
    class: Option<Class>,
    of: Option<String>,
    only: Only,
}

impl Chosen {
    fn of(params: &SalesParams) -> Chosen {
        Chosen {
            lang: params.lang,
            class: params.class.as_deref().and_then(Class::parse),
            of: params.of.clone(),
            only: match params.show.as_deref() {
                Some("forecast") => Only::Forecast,
                Some("unpriced") => Only::WithoutPrice,
                Some("currency") => Only::OtherCurrency,
                Some(_) | None => Only::All,
            },
        }
    }

    fn href(&self, after: Option<&str>) -> String {
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        pairs.extend(self.lang.map(|lang| ("lang", code(lang))));
        pairs.extend(self.class.map(|class| ("class", class.name())));
        pairs.extend(self.of.as_deref().map(|of| ("of", of)));
        pairs.extend(match self.only {
            Only::All => None,
            Only::Forecast => Some(("show", "forecast")),
            Only::WithoutPrice => Some(("show", "unpriced")),
            Only::OtherCurrency => Some(("show", "currency")),
        });
        pairs.extend(after.map(|after| ("after", after)));
        match serde_urlencoded::to_string(&pairs) {
            Ok(query) if !query.is_empty() => format!("/?{query}"),
            Ok(_) | Err(_) => "/".to_owned(),
        }
    }

    /// Down to the list: a click on a number is a question about its deals.
    fn list(&self) -> String {
        self.href(None) + "#deals"
    }

    fn with_class(&self, class: Option<Class>) -> Chosen {
        Chosen { class, only: Only::All, ..self.clone() }
    }

    fn with_only(&self, only: Only) -> Chosen {
        Chosen { class: None, only, ..self.clone() }
    }

    fn with_responsible(&self, of: Option<&str>) -> Chosen {
        Chosen { of: of.map(str::to_owned), ..self.clone() }
    }
}

#[derive(Template)]
#[template(path = "sales.html")]
struct SalesPage {
    frame: Frame,
    troubles: Vec<Trouble>,
    deals: Deals,
    tasks: Tasks,
}

/// What of the deals can be shown.
enum Deals {
    /// Still being counted, or not to be counted: why, and the next step.
    Wait {
        text: String,
        again_s: u32,
    },
    Whole(Box<Whole>),
}

struct Whole {
    forecast: Total,
    all: Total,
    facts: Vec<Link>,
    classes: Vec<ClassRow>,
    people: Vec<PersonRow>,
    people_more: String,
    /// What the list is narrowed to; each leads to the list without it.
    narrowed: Vec<Link>,
    range: String,
    rows: Vec<DealRow>,
    /// What to do next when there are none.
    nothing: String,
    first: String,
    next: String,
}

struct Total {
    amount: String,
    note: String,
    href: String,
}

/// A sentence; `href` is empty when it leads nowhere.
struct Link {
    text: String,
    href: String,
}

struct ClassRow {
    name: &'static str,
    /// What the class means.
    what: String,
    deals: String,
    value: String,
    /// Thousandths of the length of the bar.
    share: u32,
    href: String,
    is_chosen: bool,
}

struct PersonRow {
    name: String,
    deals: String,
    value: String,
    href: String,
    is_chosen: bool,
}

struct DealRow {
    line: PriorityLine,
    /// The client, else the title, else the id.
    name: String,
    /// The title, when it says more than the client.
    title: String,
    /// `50 000 ₽ × 35 %`, or that there is no price.
    sum: String,
    days: String,
}

struct Tasks {
    rows: Vec<TaskRow>,
    heading: String,
    all: Link,
    nothing: String,
}

pub(super) async fn show(
    State(web): State<Arc<Web>>,
    params: Result<Params<SalesParams>, axum::extract::rejection::QueryRejection>,
    request: Request,
) -> Response {
    let params = params.map(|it| it.0).unwrap_or_default();
    let (head, _) = request.into_parts();
    let browser = head.extensions.get::<Visitor>().map(|visitor| visitor.locale).unwrap_or_default();
    let locale = params.lang.unwrap_or(browser);
    super::page(State(web), &head, locale, move |web| make(web, &params, locale)).await
}

fn make(web: &Web, params: &SalesParams, locale: Locale) -> Result<SalesPage, Fault> {
    let (chosen, parts) = (Chosen::of(params), &web.parts);
    let asked = PriorityAsked {
        locale,
        now: parts.clock.now(),
        class: chosen.class,
        responsible: chosen.of.clone(),
        only: chosen.only,
        after: params.after.as_deref().and_then(|text| text.parse::<Place>().ok()),
        rows_max: PRIORITY_ROWS,
    };
    let deals = match parts.query.priority(&parts.ranking, &parts.origins, &asked)? {
        Ok(view) => Deals::Whole(Box::new(whole(view, &chosen, locale))),
        Err(progress) => waits(&progress, locale),
    };
    let elsewhere = Chosen { lang: Some(other(locale)), ..chosen.clone() };
    let today = parts.query.local(parts.clock.now());
    let mut troubles = (parts.troubles)(locale);
    for trouble in troubles.iter_mut().filter(|it| !it.since.is_empty()) {
        trouble.since = words::short(&trouble.since, &today, locale);
    }
    Ok(SalesPage {
        frame: frame(web, "page-title", locale, elsewhere.href(params.after.as_deref())),
        troubles,
        deals,
        tasks: tasks(web, &chosen, locale)?,
    })
}

fn waits(progress: &Progress, locale: Locale) -> Deals {
    match progress {
        Progress::Reading(read) => {
            Deals::Wait { text: words::counted("page-counting", *read, locale), again_s: LOOK_AGAIN_S }
        }
        // It has just become whole.
        Progress::Whole { .. } => Deals::Wait { text: words::counted("page-counting", 0, locale), again_s: 1 },
        Progress::Failed(message) => Deals::Wait { text: message.render(locale), again_s: 0 },
    }
}

fn whole(view: PriorityView, chosen: &Chosen, locale: Locale) -> Whole {
    let say = |id: &str| Message::new(id).render(locale);
    let counted = |id: &str, count: u64| words::counted(id, count, locale);
    let everybody = chosen.with_class(None);
    Whole {
        forecast: Total {
            amount: view.forecast.clone(),
            note: counted("page-deals", view.forecast_deals),
            href: chosen.with_only(Only::Forecast).list(),
        },
        all: Total { amount: view.all.clone(), note: counted("page-deals", view.deals), href: everybody.list() },
        facts: facts(&view, chosen, locale),
        classes: classes(&view, chosen, locale),
        people: people(&view, chosen, locale),
        people_more: match view.responsibles_more {
            0 => String::new(),
            more => counted("page-people-more", more as u64),
        },
        narrowed: narrowed(chosen, locale),
        range: match view.rows.len() as u64 {
            0 => String::new(),
            rows => Message::new("page-range")
                .with("from", words::number(view.before + 1, locale))
                .with("to", words::number(view.before + rows, locale))
                .with("of", words::number(view.fits, locale))
                .render(locale),
        },
        nothing: match (view.rows.is_empty(), view.deals + view.others_deals) {
            (false, _) => String::new(),
            (true, 0) if chosen.of.is_none() => say("page-no-deals"),
            (true, _) => say("page-none-fit"),
        },
        first: if view.before > 0 { chosen.list() } else { String::new() },
        next: view.next.as_deref().map(|next| chosen.href(Some(next)) + "#deals").unwrap_or_default(),
        rows: view.rows.into_iter().map(|line| deal_row(line, locale)).collect(),
    }
}

/// What the sums do not say by themselves.
fn facts(view: &PriorityView, chosen: &Chosen, locale: Locale) -> Vec<Link> {
    let counted = |id: &str, count: u64| words::counted(id, count, locale);
    let mut facts = Vec::new();
    // Two deals always hang on one another; of three on it tells something.
    if let Some(percent) = view.largest_percent.filter(|percent| *percent >= 30 && view.deals > 2) {
        facts.push(Link {
            text: Message::new("page-largest").with("percent", percent).render(locale),
            href: String::new(),
        });
    }
    if view.without_price > 0 {
        let href = chosen.with_only(Only::WithoutPrice).list();
        facts.push(Link { text: counted("page-unpriced", view.without_price), href });
    }
    if view.others_deals > 0 {
        let text = Message::new("page-others")
            .with("sums", view.others.join(", "))
            .with("deals", counted("page-deals", view.others_deals));
        facts.push(Link { text: text.render(locale), href: chosen.with_only(Only::OtherCurrency).list() });
    }
    if view.is_full {
        let text = Message::new("page-left-out").with("max", words::number(RANKED_DEALS_MAX as u64, locale));
        facts.push(Link { text: text.render(locale), href: String::new() });
    }
    facts
}

fn classes(view: &PriorityView, chosen: &Chosen, locale: Locale) -> Vec<ClassRow> {
    let row = |sum: &crate::query::priority::ClassSum| {
        let is_chosen = chosen.class == Some(sum.class);
        ClassRow {
            name: sum.class.name(),
            what: class_meaning(sum.class, locale),
            deals: words::number(sum.deals, locale),
            value: sum.value.clone(),
            share: sum.share,
            href: chosen.with_class((!is_chosen).then_some(sum.class)).list(),
            is_chosen,
        }
    };
    view.classes.iter().map(row).collect()
}

fn class_meaning(class: Class, locale: Locale) -> String {
    Message::new(match class {
        Class::A => "page-class-a",
        Class::B => "page-class-b",
        Class::C => "page-class-c",
        Class::C1 => "page-class-c1",
        Class::C2 => "page-class-c2",
        Class::D => "page-class-d",
        Class::E => "page-class-e",
        Class::F => "page-class-f",
    })
    .render(locale)
}

fn people(view: &PriorityView, chosen: &Chosen, locale: Locale) -> Vec<PersonRow> {
    let row = |sum: &crate::query::priority::ResponsibleSum| {
        let is_chosen = chosen.of.as_deref() == Some(&*sum.name);
        PersonRow {
            name: named(&sum.name, locale),
            deals: words::number(sum.deals, locale),
            value: sum.value.clone(),
            href: chosen.with_responsible((!is_chosen).then_some(&*sum.name)).list(),
            is_chosen,
        }
    };
    view.responsibles.iter().map(row).collect()
}

fn named(name: &str, locale: Locale) -> String {
    if name.is_empty() { Message::new("page-nobody").render(locale) } else { name.to_owned() }
}

fn narrowed(chosen: &Chosen, locale: Locale) -> Vec<Link> {
    let mut links = Vec::new();
    if let Some(class) = chosen.class {
        let text = Message::new("page-only-class").with("class", class.name()).render(locale);
        links.push(Link { text, href: chosen.with_class(None).list() });
    }
    if let Some(of) = &chosen.of {
        links.push(Link { text: named(of, locale), href: chosen.with_responsible(None).list() });
    }
    let only = match chosen.only {
        Only::All => None,
        Only::Forecast => Some("page-only-forecast"),
        Only::WithoutPrice => Some("page-only-unpriced"),
        Only::OtherCurrency => Some("page-only-currency"),
    };
    links.extend(
        only.map(|id| Link { text: Message::new(id).render(locale), href: chosen.with_only(Only::All).list() }),
    );
    links
}

fn deal_row(line: PriorityLine, locale: Locale) -> DealRow {
    let name = [&line.client, &line.title, &line.deal].into_iter().find(|it| !it.is_empty()).cloned();
    let name = name.unwrap_or_default();
    // `ООО Ромашка` says no more than `ООО «Ромашка»`.
    let bare =
        |text: &str| text.chars().filter(|it| it.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let title = if bare(&line.title) == bare(&name) { String::new() } else { line.title.clone() };
    let sum = match &line.price {
        Some(price) => {
            Message::new("page-sum").with("price", price).with("probability", &line.probability).render(locale)
        }
        None => Message::new("page-no-price").with("probability", &line.probability).render(locale),
    };
    let days = words::counted("page-days", line.days_in_stage.max(0).unsigned_abs(), locale);
    DealRow { name, title, sum, days, line }
}

/// The most urgent tasks; those of the chosen responsible, when there is one.
fn tasks(web: &Web, chosen: &Chosen, locale: Locale) -> Result<Tasks, Fault> {
    let query = &web.parts.query;
    let now = web.parts.clock.now();
    let responsible = chosen.of.clone().filter(|of| !of.is_empty());
    let listing = Listing { locale, rows_max: PRIORITY_TASKS, responsible: responsible.clone(), ..Listing::default() };
    let rows = task_rows(web, query.tasks(&listing, now)?.rows, locale)?;
    let (open, late) = query.task_counts(now)?;
    let heading = match late {
        0 => words::counted("page-tasks-open", open, locale),
        late => Message::new("page-tasks-late")
            .with("open", words::counted("page-tasks-open", open, locale))
            .with("late", words::number(late, locale))
            .render(locale),
    };
    Ok(Tasks {
        nothing: if rows.is_empty() { Message::new("page-no-tasks").render(locale) } else { String::new() },
        rows,
        heading,
        all: Link {
            text: Message::new("page-tasks-all").render(locale),
            href: super::tasks::href(chosen.lang, responsible.as_deref(), None),
        },
    })
}
