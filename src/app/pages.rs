//! Pages, put together: their views, who may look, what is wrong.

use std::sync::Arc;

use super::Core;
use super::links;
use crate::alarm::Severity;
use crate::base::{Locale, Message};
use crate::control::Control;
use crate::http::Pages;
use crate::query::AlarmView;
use crate::query::ranking::Ranking;
use crate::task::Ground;
use crate::web::{self, Parts, Trouble, Visitor};

/// The pages of a daemon.
pub(super) fn pages(core: &Core, control: &Arc<Control>) -> Pages {
    let shown = Arc::clone(control);
    let parts = Parts {
        query: control.query.clone(),
        ranking: Arc::clone(&core.ranking),
        origins: links::origins(&core.vault, &core.tokens, &core.catalog),
        links: Arc::clone(&core.page_links),
        api_tokens: core.vault.get("api.token").into_iter().collect(),
        troubles: Arc::new(move |locale| troubles(&shown, locale)),
        clock: Arc::clone(&core.clock),
    };
    Pages {
        router: web::router(parts),
        introduce: |extensions, visit| {
            let visitor = Visitor { remote: Some(visit.remote), locale: visit.locale, is_https: visit.is_https };
            extensions.insert(visitor);
        },
        public_url: core.settings.listen.public_url.clone(),
    }
}

/// Reads the deals once, beside everything else; commits keep them up to date from then on.
pub(super) async fn fill(ranking: Arc<Ranking>, ground: Ground) {
    let reading = tokio::task::spawn_blocking(move || ranking.fill(ground.store.as_ref(), || !ground.stopping()));
    if let Err(error) = reading.await {
        tracing::error!(%error, "reading the deals for the page was cut short");
    }
}

/// Alarms as the latest look found them.
fn troubles(control: &Control, locale: Locale) -> Vec<Trouble> {
    let alarms = match control.watch.alarms() {
        Ok(alarms) => alarms,
        Err(error) => {
            tracing::error!(%error, "the page cannot say what is wrong");
            let say = |id: &str| Message::new(id).render(locale);
            let (what, next) = (say("page-wrong-unknown"), say("page-failed-next"));
            return vec![Trouble { is_grave: true, what, why: None, next, since: String::new() }];
        }
    };
    let trouble = |it: AlarmView| Trouble {
        is_grave: it.severity == Severity::Critical.name(),
        what: it.what,
        why: it.why,
        next: it.next,
        since: it.since,
    };
    control.query.alarms(&alarms, locale).into_iter().map(trouble).collect()
}
