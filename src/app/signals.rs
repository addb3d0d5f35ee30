//! Ways by which the daemon tells people and a watch service how it is, made ready.

use std::sync::Arc;

use super::error::Told;
use super::sources::secret;
use crate::alarm::NoticeRules;
use crate::base::limits::NOTICE_GATHER_MS;
use crate::base::{Clock, Message, Secret};
use crate::config::{Heartbeat, Settings, Target, secret_name};
use crate::net::{Client, Guard, Wire};
use crate::notify::{Channel, Mail, Webhook};
use crate::query::Query;
use crate::task::heartbeat::Heart;
use crate::task::notify::{MadeChannel, Notifier, NotifierParts};
use crate::vault::Vault;

use super::Folder;

const NOTIFY: &str = "notify";
const HEARTBEAT: &str = "heartbeat";

/// Names of the secrets that are no connection's.
pub(super) fn secret_names() -> Vec<String> {
    let names = [(NOTIFY, "password"), (NOTIFY, "webhook_url"), (NOTIFY, "webhook_secret"), (HEARTBEAT, "url")];
    names.iter().map(|(of, name)| secret_name(of, name)).collect()
}

/// Who tells people what is wrong.
pub(super) fn notifier(
    settings: &Settings,
    vault: &Vault,
    folder: &Folder,
    query: &Query,
    clock: &Arc<dyn Clock>,
) -> Notifier {
    let notify = &settings.notify;
    let mut channels: Vec<MadeChannel> = Vec::new();
    if let Some(email) = &notify.email {
        let mail = Mail::new(email, secret(vault, NOTIFY, "password").as_ref());
        channels.push(("email", mail.map(|it| Arc::new(it) as Arc<dyn Channel>)));
    }
    if let Some(target) = &notify.webhook {
        let webhook = webhook(target, vault, clock);
        channels.push(("webhook", webhook.map(|it| Arc::new(it) as Arc<dyn Channel>)));
    }
    Notifier::new(NotifierParts {
        channels,
        rules: NoticeRules {
            from: notify.from,
            pause_ms: i64::from(notify.pause_min) * 60_000,
            remind_ms: i64::from(notify.remind_h) * 3_600_000,
            gather_ms: NOTICE_GATHER_MS,
        },
        company: settings.company.name.clone(),
        locale: settings.locale,
        query: query.clone(),
        clock: Arc::clone(clock),
        folder: folder.signals(),
    })
}

fn webhook(target: &Target, vault: &Vault, clock: &Arc<dyn Clock>) -> Result<Webhook, Message> {
    let address = address(target, vault, NOTIFY, "webhook_url")?;
    let present = secret(vault, NOTIFY, "webhook_secret");
    let previous = vault.previous(&secret_name(NOTIFY, "webhook_secret"));
    let secrets = present.into_iter().chain(previous).collect();
    Webhook::new(wire(target)?, Arc::clone(clock), address, secrets)
}

/// Where the daemon tells that it is well.
pub(super) fn heart(heartbeat: &Heartbeat, vault: &Vault) -> anyhow::Result<Heart> {
    let address = address(&heartbeat.target, vault, HEARTBEAT, "url").map_err(Told)?;
    Ok(Heart { wire: wire(&heartbeat.target).map_err(Told)?, address, every_s: heartbeat.every_s })
}

/// The address of the file, else the secret one.
fn address(target: &Target, vault: &Vault, of: &str, name: &str) -> Result<Secret, Message> {
    let open = Some(&target.url).filter(|url| !url.is_empty()).map(Secret::new);
    open.or_else(|| secret(vault, of, name))
        .ok_or_else(|| Message::new("notify-no-address").with("section", of).with("name", secret_name(of, name)))
}

fn wire(target: &Target) -> Result<Arc<dyn Wire>, Message> {
    let guard = Guard::from_settings(target.allow_private, &target.allow_networks)?;
    Ok(Arc::new(Client::new(guard).map_err(|error| error.message().clone())?))
}
