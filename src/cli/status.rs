//! `uzel status`: the daemon at a glance.

use super::{Context, Done};
use crate::alarm::Severity;
use crate::app::Folder;
use crate::base::Message;
use crate::control::Client;
use crate::query::views::StatusView;

/// Arguments of `uzel status`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[arg(long)]
    check: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<Done> {
    if args.check {
        return check(context).await;
    }
    let connected = context.connect().await?;
    let view = connected.client.get::<StatusView>("status", context.locale).await;
    connected.close().await;
    let view = view?;
    if context.json {
        context.print_json(&view)?;
        return Ok(Done::Well);
    }
    context.print_pairs(&[
        ("version", view.version.clone()),
        ("head", view.head.to_string()),
        ("applied", view.applied.to_string()),
        ("configuration", view.configuration.clone()),
        ("intake", view.intake.clone().unwrap_or_default()),
        ("failure", view.pipeline_failure.clone().unwrap_or_default()),
    ]);
    let alarms = view.alarms.iter().map(|it| {
        let what = match &it.why {
            Some(why) => format!("{}\n{why}", it.what),
            None => it.what.clone(),
        };
        vec![context.word("severity", &it.severity), it.since.clone(), what, it.next.clone()]
    });
    context.print_section("alarms", &["severity", "since", "what", "next"], alarms.collect());
    if let Some(relay) = &view.relay {
        println!("\n{}", context.say(&Message::new("cli-section-relay")));
        super::relay::print(relay, context);
    }
    if let Some(certificate) = &view.certificate {
        let until = match (&certificate.not_after, certificate.days_left) {
            (Some(not_after), Some(days)) => {
                context.say(&Message::new("cli-certificate-until").with("date", not_after).with("days", days))
            }
            (Some(_) | None, _) => context.say(&Message::new("cli-certificate-none")),
        };
        context.print_pairs(&[
            ("certificate", until),
            ("trouble", certificate.trouble.clone().unwrap_or_default()),
            ("next-try", certificate.next_try.clone().unwrap_or_default()),
        ]);
    }
    let connections = view.connections.iter().map(|it| {
        // Only writing is a matter of mode: what is sent to us is always taken.
        let mode = if it.is_sink { context.word("mode", &it.mode) } else { context.word("mode", "source") };
        vec![it.name.clone(), it.connector.clone(), mode, it.stopped.clone().unwrap_or_default()]
    });
    context.print_section("connections", &["connection", "connector", "mode", "stopped"], connections.collect());
    let records = view.records.iter().map(|it| {
        let outcome = context.word("outcome", &it.outcome);
        vec![it.connection.clone(), it.stream.clone(), outcome, it.count.to_string()]
    });
    context.print_section("counts", &["connection", "stream", "outcome", "count"], records.collect());
    let deliveries = view.deliveries.iter().map(|it| {
        let count = if it.at_least { format!("{}+", it.count) } else { it.count.to_string() };
        vec![it.sink.clone(), context.word("state", &it.state), count]
    });
    context.print_section("deliveries", &["sink", "state", "count"], deliveries.collect());
    Ok(Done::Well)
}

/// Whether the daemon itself is well: for those who watch it from outside. That a foreign system does
/// not answer is no fault of the daemon's; the folder is not opened in its place.
async fn check(context: &Context) -> anyhow::Result<Done> {
    let daemon = Client::Socket(Folder::new(&context.folder).socket());
    let mut view = daemon.get::<StatusView>("status", context.locale).await?;
    let critical = Severity::Critical.name();
    view.alarms.retain(|it| it.severity == critical && it.subject.is_empty());
    if context.json {
        context.print_json(&view.alarms)?;
    } else if view.alarms.is_empty() {
        println!("{}", context.say(&Message::new("cli-status-well")));
    } else {
        view.alarms.iter().for_each(|it| println!("{}. {}", it.what, it.next));
    }
    Ok(if view.alarms.is_empty() { Done::Well } else { Done::Problems })
}
