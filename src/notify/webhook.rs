//! To a web address, signed as Standard Webhooks asks: `webhook-id` (the same in every attempt, so
//! that the receiver can drop what came twice), `webhook-timestamp`, `webhook-signature`.

use std::sync::Arc;

use super::{Channel, Letter};
use crate::auth::signature::sign_standard;
use crate::base::{Clock, Message, Secret};
use crate::net::{Boxed, Method, Request, Wire, host_of};

/// A web address that is told.
pub struct Webhook {
    wire: Arc<dyn Wire>,
    clock: Arc<dyn Clock>,
    address: Secret,
    /// The present secret, and the one before it.
    secrets: Vec<Secret>,
}

impl Webhook {
    /// Tells `address`; `secrets` sign, the present one first.
    pub fn new(
        wire: Arc<dyn Wire>,
        clock: Arc<dyn Clock>,
        address: Secret,
        secrets: Vec<Secret>,
    ) -> Result<Webhook, Message> {
        if secrets.is_empty() {
            return Err(Message::new("notify-no-secret"));
        }
        Ok(Webhook { wire, clock, address, secrets })
    }
}

impl Channel for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn send<'a>(&'a self, letter: &'a Letter) -> Boxed<'a, Result<(), Message>> {
        Box::pin(async move {
            let body = letter.data.to_string().into_bytes();
            // Of the attempt, not of the letter: an old one would be refused as played again.
            let at_s = self.clock.now().seconds();
            let signature = sign_standard(&self.secrets, &letter.id, at_s, &body);
            let headers = vec![
                ("webhook-id".into(), Secret::new(letter.id.clone())),
                ("webhook-timestamp".into(), Secret::new(at_s.to_string())),
                ("webhook-signature".into(), Secret::new(signature)),
            ];
            let address = self.address.clone();
            let request = Request { method: Method::Post, address, headers, content_type: "application/json", body };
            let answer = self.wire.call(request).await.map_err(|error| error.message().clone())?;
            if (200..300).contains(&answer.status) {
                return Ok(());
            }
            let host = host_of(self.address.expose()).unwrap_or_default();
            Err(Message::new("notify-webhook-status").with("host", host).with("status", answer.status))
        })
    }
}
