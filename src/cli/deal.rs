//! `uzel deal`: deals with class, value and reason.

use super::output::encoded;
use super::{Context, Done};
use crate::query::views::{DealLine, DealView, Page, SinkView, TotalsView};

/// Subcommands of `uzel deal`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Sub {
    List {
        #[arg(long)]
        class: Option<String>,
        #[arg(long, value_parser = ["open", "won", "lost"])]
        state: Option<String>,
        #[arg(long, default_value_t = 100)]
        limit: usize,
        #[arg(long)]
        after: Option<String>,
    },
    Show {
        id: String,
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

/// Deals as a table.
pub(super) fn print_lines(lines: &[DealLine], context: &Context) {
    let rows = lines.iter().map(|it| {
        vec![
            it.id.clone(),
            if it.client_name.is_empty() { it.title.clone() } else { it.client_name.clone() },
            it.stage.clone(),
            it.price.clone().unwrap_or_default(),
            it.probability.clone().unwrap_or_default(),
            it.value.clone().unwrap_or_default(),
            it.class.clone().unwrap_or_else(|| it.state.clone()),
            it.explanation.clone(),
        ]
    });
    context.print_table(&["id", "client", "stage", "price", "probability", "value", "class", "why"], rows.collect());
}

/// The two total lines.
pub(super) fn print_totals(totals: &[TotalsView], context: &Context) {
    use crate::base::Message;
    for total in totals {
        let classes: Vec<String> = total.classes.iter().map(|(class, count)| format!("{class}={count}")).collect();
        let message = Message::new("cli-totals-forecast")
            .with("value", &total.forecast)
            .with("currency", &total.currency)
            .with("classes", classes.join(" "));
        println!("{}", context.say(&message));
        let message = Message::new("cli-totals-all")
            .with("value", &total.all_in)
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
            it.state.clone(),
            it.foreign_id.clone().unwrap_or_default(),
            it.reason.clone().unwrap_or_default(),
        ]
    });
    context.print_table(&["sink", "state", "foreign-id", "reason"], rows.collect());
}

fn show(view: &DealView, context: &Context) {
    print_lines(std::slice::from_ref(&view.line), context);
    let fields = view.fields.iter().map(|it| {
        vec![it.name.clone(), it.value.clone(), it.source.clone(), it.position.to_string(), it.observed_at.clone()]
    });
    context.print_table(&["field", "value", "source", "position", "observed"], fields.collect());
    if !view.lines.is_empty() {
        let lines =
            view.lines.iter().map(|it| vec![it.name.clone(), it.quantity.clone(), it.price.clone(), it.sum.clone()]);
        context.print_table(&["name", "quantity", "price", "sum"], lines.collect());
    }
    let history =
        view.class_history.iter().map(|it| vec![it.at.clone(), it.from.clone().unwrap_or_default(), it.to.clone()]);
    context.print_table(&["at", "from", "to"], history.collect());
    print_sinks(&view.sinks, context);
}
