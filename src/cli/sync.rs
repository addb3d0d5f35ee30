//! `uzel sync`: what would be written to a sink, and who says that it is.

use std::time::Duration;

use super::client::give;
use super::journal::telling_bar;
use super::output::encoded;
use super::{Context, Done};
use crate::query::views::{AppliedView, LookView, PlanLineView, PlanView, SyncView};

/// Between two looks at how far a look is.
const LOOK: Duration = Duration::from_millis(200);

/// Subcommands of `uzel sync`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Sub {
    Status,
    Plan {
        sink: Option<String>,
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(0..=crate::base::limits::PAGE_ROWS_MAX as u64))]
        limit: u64,
        #[arg(long, value_parser = ["create", "import", "link", "update", "nothing", "waits", "person", "untold"])]
        action: Option<String>,
        #[arg(long)]
        look: bool,
    },
    Plans,
    Show {
        plan: String,
        #[arg(long, default_value_t = 100, value_parser = super::rows_of_page())]
        limit: u64,
        #[arg(long, value_parser = ["create", "import", "link", "update", "nothing", "waits", "person", "untold"])]
        action: Option<String>,
        #[arg(long)]
        after: Option<String>,
    },
    Apply {
        plan: String,
        #[arg(long)]
        only_unchanged: bool,
    },
    Pause {
        sink: String,
    },
    Resume {
        sink: String,
    },
}

pub(super) async fn run(sub: Sub, context: &Context) -> anyhow::Result<Done> {
    let connected = context.connect().await?;
    let done = with(sub, context, &connected.client).await;
    connected.close().await;
    done
}

async fn with(sub: Sub, context: &Context, client: &crate::control::Client) -> anyhow::Result<Done> {
    match sub {
        Sub::Status => {
            let sinks: Vec<SyncView> = client.get("sync", context.locale).await?;
            if context.json {
                context.print_json(&sinks)?;
                return Ok(Done::Well);
            }
            let rows = sinks.into_iter().map(|it| {
                let plan = it.plan.map(|plan| plan.chars().take(12).collect()).unwrap_or_default();
                vec![
                    it.sink,
                    context.word("mode", &it.mode),
                    it.held.to_string(),
                    (it.urgent + it.quiet + it.later).to_string(),
                    plan,
                    it.approved_at.unwrap_or_default(),
                ]
            });
            let columns = ["sink", "mode", "held", "waiting", "plan", "approved"];
            context.print_table(&columns, rows.collect());
        }
        Sub::Plan { sink, limit, action, look: true } => {
            let name = look(sink, context, client).await?;
            let base = format!("sync/plans/{}", encoded(&name));
            let path = path(&base, limit, [("sink", None), ("action", action), ("after", None)]);
            let plan: PlanView = client.get(&path, context.locale).await?;
            print(&plan, context)?;
        }
        Sub::Plan { sink, limit, action, look: false } => {
            let path = path("sync/plans", limit, [("sink", sink), ("action", action), ("after", None)]);
            let plan: PlanView = client.post(&path, context.locale).await?;
            print(&plan, context)?;
        }
        Sub::Plans => {
            let plans: Vec<PlanView> = client.get("sync/plans", context.locale).await?;
            if context.json {
                context.print_json(&plans)?;
                return Ok(Done::Well);
            }
            let rows = plans.into_iter().map(|it| vec![it.plan, it.sink, it.made_at, it.goes.to_string()]);
            context.print_table(&["plan", "sink", "made", "count"], rows.collect());
        }
        Sub::Show { plan, limit, action, after } => {
            let base = format!("sync/plans/{}", encoded(&plan));
            let path = path(&base, limit, [("sink", None), ("action", action), ("after", after)]);
            let plan: PlanView = client.get(&path, context.locale).await?;
            print(&plan, context)?;
        }
        Sub::Apply { plan, only_unchanged } => {
            let path = format!("sync/plans/{}/apply?only_unchanged={only_unchanged}", encoded(&plan));
            let applied: AppliedView = client.post(&path, context.locale).await?;
            if context.json {
                context.print_json(&applied)?;
                return Ok(Done::Well);
            }
            println!("{}", applied.result);
            for (id, count) in [("sync-left-overtaken", applied.overtaken), ("sync-left-newer", applied.newer)] {
                if count > 0 {
                    println!("{}", context.say(&crate::base::Message::new(id).with("count", count)));
                }
            }
        }
        Sub::Pause { sink } => give(&format!("sync/sinks/{}/pause", encoded(&sink)), context, client).await?,
        Sub::Resume { sink } => give(&format!("sync/sinks/{}/resume", encoded(&sink)), context, client).await?,
    }
    Ok(Done::Well)
}

/// Looks into the system for what would be created, in the background of the daemon; the name of
/// the plan.
async fn look(sink: Option<String>, context: &Context, client: &crate::control::Client) -> anyhow::Result<String> {
    let path = match &sink {
        Some(sink) => format!("sync/look?sink={}", encoded(sink)),
        None => "sync/look".to_owned(),
    };
    let mut view: LookView = client.post(&path, context.locale).await?;
    let bar = telling_bar();
    let plan = loop {
        match (view.plan, view.state.as_str()) {
            (Some(plan), _) => break plan,
            (None, "failed") => {
                bar.finish_and_clear();
                return Err(anyhow::Error::msg(view.trouble.unwrap_or_default()));
            }
            (None, _) => {}
        }
        bar.set_length(view.total);
        bar.set_position(view.done);
        let found = context.say(&crate::base::Message::new("cli-look-found").with("count", view.found));
        bar.set_message(format!("{found} {}", view.trouble.unwrap_or_default()));
        tokio::time::sleep(LOOK).await;
        view = client.get(&path, context.locale).await?;
    };
    bar.finish_and_clear();
    Ok(plan)
}

fn path(base: &str, limit: u64, parameters: [(&str, Option<String>); 3]) -> String {
    let mut path = format!("{base}?limit={limit}");
    for (name, value) in parameters {
        if let Some(value) = value {
            path.push_str(&format!("&{name}={}", encoded(&value)));
        }
    }
    path
}

fn print(plan: &PlanView, context: &Context) -> anyhow::Result<()> {
    if context.json {
        return context.print_json(plan);
    }
    context.print_pairs(&[
        ("plan", plan.plan.clone()),
        ("sink", plan.sink.clone()),
        ("made", plan.made_at.clone()),
        ("looked", plan.looked_at.clone().unwrap_or_default()),
        ("requests", plan.requests.to_string()),
        ("takes", duration(plan.seconds, context)),
        ("beyond", if plan.beyond > 0 { plan.beyond.to_string() } else { String::new() }),
    ]);
    let groups = plan.groups.iter().map(|it| {
        let quiet = if it.quiet { context.word("sync", "quiet") } else { String::new() };
        vec![it.kind.clone(), context.word("action", it.action.name()), quiet, it.count.to_string()]
    });
    context.print_section("plan-groups", &["kind", "action", "note", "count"], groups.collect());
    context.print_section("plan-lines", &COLUMNS, plan.lines.iter().map(|line| row(line, context)).collect());
    context.print_next(plan.next.as_ref());
    if plan.goes > 0 {
        let message = crate::base::Message::new("sync-next-step").with("plan", plan.plan.get(..12).unwrap_or_default());
        println!("\n{}", context.say(&message));
    }
    Ok(())
}

const COLUMNS: [&str; 6] = ["object", "title", "action", "foreign-id", "fields", "why"];

fn row(line: &PlanLineView, context: &Context) -> Vec<String> {
    let field = |it: &crate::query::views::FieldChangeView| match &it.from {
        Some(from) => format!("{}: {from} → {}", it.name, it.to),
        None => format!("{}: {}", it.name, it.to),
    };
    let several = if line.several { context.word("sync", "several") } else { String::new() };
    vec![
        line.object.clone(),
        line.title.clone(),
        format!("{} {} {several}", context.word("action", &line.action), line.kind).trim().to_owned(),
        line.foreign_id.clone().unwrap_or_default(),
        line.fields.iter().map(field).chain(line.left_out.iter().cloned()).collect::<Vec<_>>().join("; "),
        line.why.clone(),
    ]
}

fn duration(seconds: u64, context: &Context) -> String {
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    context.say(
        &crate::base::Message::new("sync-duration")
            .with("hours", hours)
            .with("minutes", minutes)
            .with("seconds", seconds),
    )
}
