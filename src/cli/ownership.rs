//! `uzel ownership`: whose word counts for which field, and where it is written.

use super::{Context, Done};
use crate::query::ownership::{OwnershipView, WrittenView};

pub(super) async fn run(context: &Context) -> anyhow::Result<Done> {
    let connected = context.connect().await?;
    let views = connected.client.get::<Vec<OwnershipView>>("ownership", context.locale).await;
    connected.close().await;
    let views = views?;
    if context.json {
        context.print_json(&views)?;
        return Ok(Done::Well);
    }
    let written = |it: &WrittenView| format!("{} {}.{}: {}", it.sink, it.kind, it.field, it.how);
    let rows = views.iter().map(|it| {
        vec![
            context.word("object", &it.object),
            context.word("field", &it.field),
            it.rule.clone(),
            it.written.iter().map(written).collect::<Vec<_>>().join("\n"),
            it.group.clone(),
        ]
    });
    context.print_table(&["object", "field", "ownership", "written", "ownership-line"], rows.collect());
    println!("\n{}", context.say(&crate::base::Message::new("cli-ownership-where")));
    Ok(Done::Well)
}
