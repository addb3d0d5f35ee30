//! `uzel score DEAL --explain`: a score in all its parts.

use super::output::encoded;
use super::{Context, Done};
use crate::base::Message;
use crate::base::message::text;
use crate::query::views::ScoreView;

/// Arguments of `uzel score`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    deal: String,
    #[arg(long)]
    explain: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<Done> {
    let connected = context.connect().await?;
    let path = format!("deals/{}/score", encoded(&args.deal));
    let view = connected.client.get::<ScoreView>(&path, context.locale).await;
    connected.close().await;
    let view = view?;
    if context.json {
        context.print_json(&view)?;
        return Ok(Done::Well);
    }
    println!("{}: {}", view.title, view.explanation);
    if args.explain {
        let factors = view.factors.iter().map(|it| {
            let level = if it.no_data { context.say(&Message::new("cli-no-data")) } else { it.level.clone() };
            vec![factor(&it.factor, context), level, it.points.clone()]
        });
        context.print_section("factors", &["factor", "level", "points"], factors.collect());
        println!();
        context.print_pairs(&[
            ("base", view.base.clone()),
            ("raw", view.raw.clone()),
            ("probability", view.probability.clone()),
            ("price", context.amount_of(view.price.as_ref())),
            ("worth", context.amount_of(view.value.as_ref())),
            ("class", view.class.clone()),
            ("as-of", view.as_of.clone()),
            ("next-change", view.next_change.clone().unwrap_or_default()),
            ("rules", view.rules.clone()),
        ]);
    }
    Ok(Done::Well)
}

/// The factor as the explanation calls it; one of the company's own by its id.
fn factor(id: &str, context: &Context) -> String {
    text(&format!("scoring-factor-{}", id.replace('_', "-")), context.locale).unwrap_or_else(|| id.to_owned())
}
