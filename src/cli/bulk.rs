//! One decision about many: how many there are is said first, and nothing is done without `--yes`.

use super::Context;
use crate::base::Message;
use crate::query::views::CommandView;

/// What came of one of them.
#[derive(Debug, serde::Serialize)]
struct Given {
    of: String,
    #[serde(flatten)]
    answer: CommandView,
}

/// Gives a command for each (name, path); each answers when it is applied.
pub(super) async fn give_all(
    paths: Vec<(String, String)>,
    yes: bool,
    context: &Context,
    client: &crate::control::Client,
) -> anyhow::Result<()> {
    if !yes && !paths.is_empty() {
        match context.json {
            true => context.print_json(&serde_json::json!({ "would": paths.len() }))?,
            false => println!("{}", context.say(&Message::new("bulk-would").with("count", paths.len()))),
        }
        return Ok(());
    }
    let mut given = Vec::with_capacity(paths.len());
    for (of, path) in paths {
        let answer: CommandView = client.post(&path, context.locale).await?;
        given.push(Given { of, answer });
    }
    match context.json {
        true => context.print_json(&given)?,
        false => {
            let count = given.len();
            let rows = given.into_iter().map(|it| vec![it.of, it.answer.position.to_string(), it.answer.result]);
            context.print_table(&["object", "position", "result"], rows.collect());
            if count > 0 {
                println!("{}", context.say(&Message::new("bulk-done").with("count", count)));
            }
        }
    }
    Ok(())
}
