//! `uzel score DEAL --explain`: a score in all its parts.

use super::output::encoded;
use super::{Context, Done};
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
        let factors = view.factors.iter().map(|it| vec![it.factor.clone(), it.level.clone(), it.points.clone()]);
        context.print_table(&["factor", "level", "points"], factors.collect());
        context.print_pairs(&[
            ("base", view.base.clone()),
            ("raw", view.raw.clone()),
            ("probability", view.probability.clone()),
            ("price", view.price.clone().unwrap_or_default()),
            ("value", view.value.clone().unwrap_or_default()),
            ("class", view.class.clone()),
            ("as-of", view.as_of.clone()),
            ("next-change", view.next_change.clone().unwrap_or_default()),
            ("rules", view.rules.clone()),
        ]);
    }
    Ok(Done::Well)
}
