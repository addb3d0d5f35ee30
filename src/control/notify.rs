//! A notification for trial.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query as Params, State};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Asked, Control, Refusal};
use crate::base::Message;

/// What came of a notification for trial.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct NotifiedView {
    /// The channel: `email` or `webhook`.
    pub channel: String,
    /// Why it did not go, and the next step.
    pub problem: Option<String>,
}

/// Without channels nobody is told: an empty list.
pub(super) async fn trial(
    State(control): State<Arc<Control>>,
    Params(asked): Params<Asked>,
) -> Result<Json<Vec<NotifiedView>>, Refusal> {
    let came = control.notifier.trial().await;
    let view = |(channel, problem): (&'static str, Option<Message>)| NotifiedView {
        channel: channel.to_owned(),
        problem: problem.map(|it| it.render(asked.locale())),
    };
    Ok(Json(came.into_iter().map(view).collect()))
}
