//! `uzel employees`: who is here, who is on shift, and how many open deals everybody has.

use super::{Context, Done};
use crate::query::EmployeeView;

/// Arguments of `uzel employees`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[arg(long)]
    group: Option<String>,
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<Done> {
    let connected = context.connect().await?;
    let views = connected.client.get::<Vec<EmployeeView>>("employees", context.locale).await;
    connected.close().await;
    let mut views = views?;
    if let Some(group) = &args.group {
        views.retain(|it| it.groups.contains(group));
    }
    if context.json {
        context.print_json(&views)?;
        return Ok(Done::Well);
    }
    let rows = views.iter().map(|it| {
        let presence = match it.on_shift {
            true => context.word("presence", "on_shift"),
            false => context.word("presence", &it.presence),
        };
        let until = it.until.clone().or_else(|| it.next_shift.clone()).unwrap_or_default();
        let deals = it.cap.map_or_else(|| it.open_deals.to_string(), |cap| format!("{}/{cap}", it.open_deals));
        vec![
            it.key.clone(),
            it.name.clone(),
            presence,
            until,
            it.why.clone().unwrap_or_default(),
            it.groups.join(", "),
            deals,
            it.deputy.clone().unwrap_or_default(),
            it.next_step.iter().chain(&it.id_problems).cloned().collect::<Vec<_>>().join("; "),
        ]
    });
    let columns = [
        "employee-key",
        "employee",
        "state",
        "employee-until",
        "reason",
        "employee-groups",
        "open-deals",
        "deputy",
        "employee-step",
    ];
    context.print_table(&columns, rows.collect());
    Ok(Done::Well)
}
