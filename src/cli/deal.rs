//! `uzel deal`: deals with class, value and reason.

use super::output::encoded;
use super::{Context, Done};
use crate::query::views::{DealLine, DealView, DocumentView, FieldView, ForeignView, Page, SinkView, TotalsView};

/// Subcommands of `uzel deal`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Sub {
    List {
        #[arg(long, ignore_case = true, value_parser = ["A", "B", "C", "C1", "C2", "D", "E", "F"])]
        class: Option<String>,
        #[arg(long, value_parser = ["open", "won", "lost"])]
        state: Option<String>,
        #[arg(long, default_value_t = 100, value_parser = super::rows_of_page())]
        limit: u64,
        #[arg(long)]
        after: Option<String>,
    },
    Show {
        id: String,
    },
    Edit {
        id: String,
        #[arg(value_name = "FIELD=VALUE", required_unless_present = "release")]
        set: Vec<String>,
        #[arg(long, value_name = "FIELD")]
        release: Vec<String>,
    },
    Where {
        id: String,
        field: Option<String>,
    },
    Totals,
}

pub(super) async fn run(sub: Sub, context: &Context) -> anyhow::Result<Done> {
    let connected = context.connect().await?;
    let done = with(sub, context, &connected.client).await;
    connected.close().await;
    done
}

async fn with(sub: Sub, context: &Context, client: &crate::control::Client) -> anyhow::Result<Done> {
    match sub {
        Sub::List { class, state, limit, after } => {
            let mut path = format!("deals?limit={limit}");
            for (name, value) in [("class", class), ("state", state), ("after", after)] {
                if let Some(value) = value {
                    path.push_str(&format!("&{name}={}", encoded(&value)));
                }
            }
            let page: Page<DealLine> = client.get(&path, context.locale).await?;
            match context.json {
                true => context.print_json(&page)?,
                false => {
                    print_lines(&page.rows, context);
                    context.print_next(page.next.as_ref());
                }
            }
        }
        Sub::Show { id } => {
            let view: DealView = client.get(&format!("deals/{}", encoded(&id)), context.locale).await?;
            match context.json {
                true => context.print_json(&view)?,
                false => show(&view, context),
            }
        }
        Sub::Edit { id, set, release } => {
            super::explain::edit(&format!("deals/{}/edit", encoded(&id)), &set, release, context, client).await?;
        }
        Sub::Where { id, field } => {
            super::explain::whence(&format!("deals/{}/where", encoded(&id)), field.as_deref(), context, client).await?;
        }
        Sub::Totals => {
            let totals: Vec<TotalsView> = client.get("totals", context.locale).await?;
            match context.json {
                true => context.print_json(&totals)?,
                false => print_totals(&totals, context),
            }
        }
    }
    Ok(Done::Well)
}

/// Columns of [`rows`].
pub(super) const COLUMNS: [&str; 8] = ["id", "client", "stage", "price", "probability", "worth", "class", "why"];

/// Deals as a table.
pub(super) fn print_lines(lines: &[DealLine], context: &Context) {
    context.print_table(&COLUMNS, rows(lines, context));
}

/// Rows of a table of deals.
pub(super) fn rows(lines: &[DealLine], context: &Context) -> Vec<Vec<String>> {
    let row = |it: &DealLine| {
        vec![
            it.id.clone(),
            if it.client_name.is_empty() { it.title.clone() } else { it.client_name.clone() },
            it.stage.clone(),
            context.amount_of(it.price.as_ref()),
            it.probability.clone().unwrap_or_default(),
            context.amount_of(it.value.as_ref()),
            it.class.clone().unwrap_or_else(|| context.word("state", &it.state)),
            it.explanation.clone(),
        ]
    };
    lines.iter().map(row).collect()
}

/// Fields with their origin.
pub(super) fn print_fields(fields: &[FieldView], context: &Context) {
    let rows = fields.iter().map(|it| {
        let name = context.word("field", &it.name);
        vec![name, it.value.clone(), it.source.clone(), it.position.to_string(), it.observed_at.clone()]
    });
    context.print_section("fields", &["field", "value", "source", "position", "observed"], rows.collect());
}

/// Ids in foreign systems.
pub(super) fn print_foreign(foreign: &[ForeignView], context: &Context) {
    let rows = foreign.iter().map(|it| vec![it.connection.clone(), it.kind.clone(), it.id.clone()]);
    context.print_section("foreign", &["connection", "kind", "id-there"], rows.collect());
}

/// Documents.
pub(super) fn print_documents(documents: &[DocumentView], context: &Context) {
    let rows = documents.iter().map(|it| {
        let mut marks = Vec::new();
        marks.extend((it.posted == Some(true)).then(|| context.word("document", "posted")));
        marks.extend((it.posted == Some(false)).then(|| context.word("document", "unposted")));
        marks.extend((it.deletion_mark == Some(true)).then(|| context.word("document", "deleted")));
        vec![
            it.id.clone(),
            context.word("kind", &it.kind),
            it.number.clone(),
            it.sum.clone().unwrap_or_default(),
            marks.join(", "),
            it.deal.clone().unwrap_or_default(),
        ]
    });
    context.print_section("documents", &["id", "kind", "number", "sum", "state", "deal"], rows.collect());
}

/// The two total lines.
pub(super) fn print_totals(totals: &[TotalsView], context: &Context) {
    use crate::base::Message;
    for total in totals {
        let classes: Vec<String> = total.classes.iter().map(|(class, count)| format!("{class}={count}")).collect();
        let message = Message::new("cli-totals-forecast")
            .with("value", context.amount(&total.forecast))
            .with("currency", &total.currency)
            .with("classes", classes.join(" "));
        println!("{}", context.say(&message));
        let message = Message::new("cli-totals-all")
            .with("value", context.amount(&total.all_in))
            .with("currency", &total.currency)
            .with("deals", total.deals)
            .with("without", total.without_price);
        println!("{}", context.say(&message));
    }
}

/// Where the sinks stand with an object.
pub(super) fn print_sinks(sinks: &[SinkView], context: &Context) {
    let rows = sinks.iter().map(|it| {
        vec![
            it.sink.clone(),
            context.word("state", &it.state),
            it.foreign_id.clone().unwrap_or_default(),
            it.reason.clone().unwrap_or_default(),
        ]
    });
    context.print_section("sinks", &["sink", "state", "foreign-id", "reason"], rows.collect());
}

fn show(view: &DealView, context: &Context) {
    let line = &view.line;
    let worth = |amount: &Option<String>| {
        let currency = line.currency.clone().unwrap_or_default();
        amount.as_ref().map(|amount| format!("{} {currency}", context.amount(amount))).unwrap_or_default()
    };
    context.print_pairs(&[
        ("id", line.id.clone()),
        ("title", line.title.clone()),
        ("client", [line.client.clone().unwrap_or_default(), line.client_name.clone()].join(" ").trim().to_owned()),
        ("state", context.word("state", &line.state)),
        ("pipeline", line.pipeline.clone()),
        ("stage", line.stage.clone()),
        ("days-in-stage", line.days_in_stage.to_string()),
        ("source", line.source.clone()),
        ("price", worth(&line.price)),
        ("probability", line.probability.clone().unwrap_or_default()),
        ("worth", worth(&line.value)),
        ("class", line.class.clone().unwrap_or_default()),
        ("why", line.explanation.clone()),
    ]);
    print_fields(&view.fields, context);
    let lines = view.lines.iter().map(|it| {
        vec![it.name.clone(), context.amount(&it.quantity), context.amount(&it.price), context.amount(&it.sum)]
    });
    context.print_section("lines", &["product", "quantity", "unit-price", "sum"], lines.collect());
    print_documents(&view.documents, context);
    if let Some(assigned) = &view.assigned {
        let why = assigned.why.iter().map(|it| vec![it.clone()]).collect();
        let name = if assigned.name.is_empty() { "—".to_owned() } else { assigned.name.clone() };
        let heading = crate::base::Message::new("cli-deal-assigned").with("name", name).with("at", &assigned.at);
        println!("\n{}", context.say(&heading));
        context.print_table(&["why"], why);
    }
    let history =
        view.class_history.iter().map(|it| vec![it.at.clone(), it.from.clone().unwrap_or_default(), it.to.clone()]);
    context.print_section("classes", &["at", "from", "to"], history.collect());
    print_foreign(&view.foreign, context);
    print_sinks(&view.sinks, context);
}
