//! `uzel load CONNECTION`: the whole history of a foreign system. A running daemon does it in the
//! background, and this command only watches; without one it is done here. Either way it goes on
//! where it was when it is cut short.

use std::collections::BTreeMap;
use std::time::Duration;

use super::journal::telling_bar;
use super::output::encoded;
use super::source::hindrance;
use super::{Connected, Context, Done};
use crate::base::Message;
use crate::query::views::{CommandView, SourceView};

/// Between two looks at how far it is.
const LOOK: Duration = Duration::from_millis(500);

/// Arguments of `uzel load`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    connection: String,
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<Done> {
    let connected = context.connect().await?;
    let done = load(&args.connection, &connected, context).await;
    connected.close().await;
    let views = done?;
    match context.json {
        true => context.print_json(&views)?,
        false => println!("{}", context.say(&Message::new("cli-load-done").with("connection", &args.connection))),
    }
    Ok(Done::Well)
}

async fn load(connection: &str, connected: &Connected, context: &Context) -> anyhow::Result<Vec<SourceView>> {
    let path = format!("sources/{}/load", encoded(connection));
    let _given: CommandView = connected.client.post(&path, context.locale).await?;
    let mut here = match &connected.core {
        Some(core) => Some(crate::app::Loader::new(core, connection)?),
        None => None,
    };
    let bar = telling_bar();
    let mut far = Far::default();
    let views = loop {
        if let Some(loader) = &mut here {
            loader.step().await?;
        }
        let all: Vec<SourceView> = connected.client.get("sources", context.locale).await?;
        let mine: Vec<SourceView> = all.into_iter().filter(|it| it.connection == connection).collect();
        let loading: Vec<&SourceView> = mine.iter().filter(|it| it.state == "loading").collect();
        if loading.is_empty() {
            break mine;
        }
        far.see(&loading);
        let (position, length) = far.sums();
        bar.set_length(length);
        bar.set_position(position);
        let words: Vec<&str> = loading.iter().map(|it| it.stream.as_str()).collect();
        let hindrances = loading.iter().map(|it| hindrance(it, context)).filter(|it| !it.is_empty());
        let words = std::iter::once(words.join(", ")).chain(hindrances.take(1));
        bar.set_message(words.collect::<Vec<_>>().join("; "));
        if here.is_none() {
            tokio::time::sleep(LOOK).await;
        }
    };
    bar.finish_and_clear();
    Ok(views)
}

/// How far each stream is. What is read to its end stays: the bar never goes back.
#[derive(Default)]
struct Far(BTreeMap<String, (u64, u64)>);

impl Far {
    /// Takes in the streams that are being loaded.
    fn see(&mut self, loading: &[&SourceView]) {
        for (stream, (loaded, total)) in &mut self.0 {
            if !loading.iter().any(|it| it.stream == *stream) {
                *loaded = *total;
            }
        }
        for it in loading {
            let loaded = it.loaded.unwrap_or_default();
            // Rows that are made meanwhile come on top of what was counted at the start.
            let total = it.total.unwrap_or_default().max(loaded);
            self.0.insert(it.stream.clone(), (loaded, total));
        }
    }

    /// Rows read, and rows there are.
    fn sums(&self) -> (u64, u64) {
        self.0.values().fold((0, 0), |sums, of| (sums.0 + of.0, sums.1 + of.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(stream: &str, loaded: u64, total: Option<u64>) -> SourceView {
        SourceView {
            connection: "crm".to_owned(),
            stream: stream.to_owned(),
            state: "loading".to_owned(),
            time: None,
            loaded: Some(loaded),
            total,
            news_at: None,
            read_at: None,
            same: 0,
            trouble: None,
            told_by: None,
            waits_until: None,
        }
    }

    #[test]
    fn the_bar_goes_on_when_a_stream_is_through() {
        let mut far = Far::default();
        far.see(&[&view("contact", 50, Some(100)), &view("deal", 0, None)]);
        assert_eq!(far.sums(), (50, 100));
        far.see(&[&view("deal", 30, Some(200))]);
        assert_eq!(far.sums(), (130, 300));
        far.see(&[&view("deal", 210, Some(200))]);
        assert_eq!(far.sums(), (310, 310));
        far.see(&[]);
        assert_eq!(far.sums(), (310, 310));
    }
}
