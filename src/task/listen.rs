//! Links that are held open: the listener runs, and how its link stands is shown to people.

use crate::source::asterisk::{LinkState, Listener};

use super::Ground;
use super::poll::Readings;

/// Runs until the daemon stops.
pub async fn run(ground: Ground, listener: Listener, readings: Readings) {
    let (connection, stream) = (listener.connection().clone(), listener.stream().clone());
    let mut state = listener.state();
    let mut running = std::pin::pin!(listener.run(ground.stop.clone()));
    loop {
        let now = ground.clock.now();
        let trouble = match &*state.borrow_and_update() {
            LinkState::Listening => Some(None),
            LinkState::Down(message) => Some(Some(message.clone())),
            // Whether it can be opened is not known yet: what was known stands.
            LinkState::Opening => None,
        };
        if let Some(trouble) = trouble {
            readings.tell(&connection, &stream, trouble, now);
        }
        tokio::select! {
            () = &mut running => return,
            changed = state.changed() => {
                if changed.is_err() {
                    return running.await;
                }
            }
        }
    }
}
