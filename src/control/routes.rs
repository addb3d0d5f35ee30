//! The table of routes: what the router is made of, and what the description of the interface is
//! made of. A line is a path, what it is for, and the function that answers.

use std::sync::{Arc, LazyLock};

use axum::{Json, Router};
use serde_json::Value;

use super::openapi::{self, Route, get, post};
use super::{Control, commands, connect, explain, keeping, notify, page, privacy, probe, reads, sync};

fn routes() -> Vec<Route<Arc<Control>>> {
    vec![
        get("/api/openapi.json", "This description of the interface", description),
        get("/api/status", "The daemon at a glance", reads::status),
        get("/api/alarms", "What is wrong: since when, how badly, and the next step", reads::alarms),
        post("/api/notify/test", "Send one notification for trial by every channel", notify::trial),
        get("/api/position", "How far the journal goes and how far it is applied; cheap", reads::position),
        get("/api/clients", "Clients", reads::clients),
        get("/api/clients/{id}", "A client", reads::client),
        post("/api/clients/{id}/edit", "Set fields of a client by hand, or let go of them", commands::edit_client),
        get("/api/clients/{id}/why", "Why records are one client", explain::why),
        get("/api/clients/{id}/where", "Where the fields of a client are from", explain::where_client),
        post("/api/clients/{id}/merge/{loser}", "Merge another client into this one", commands::merge),
        post("/api/clients/{id}/split/{loser}", "Take a merge back", commands::split),
        get("/api/deals", "Deals", reads::deals),
        get("/api/deals/{id}", "A deal", reads::deal),
        get("/api/deals/{id}/score", "The score of a deal and why", reads::score),
        post("/api/deals/{id}/edit", "Set fields of a deal by hand, or let go of them", commands::edit_deal),
        get("/api/deals/{id}/where", "Where the fields of a deal are from", explain::where_deal),
        get("/api/folders", "Watched folders and their files", reads::folders),
        get("/api/totals", "Deals by class", reads::totals),
        get("/api/ownership", "Whose word counts for which field, and where it is written", reads::ownership),
        get("/api/employees", "Employees and who has which leads", reads::employees),
        get("/api/outbox", "What sinks still have to be told", reads::outbox),
        get("/api/told/{sink}", "Objects that a sink has confirmed since an instant", explain::told),
        post("/api/outbox/{sink}/{object}/resend", "Tell it again", commands::resend),
        post("/api/outbox/{sink}/{object}/discard", "Give a delivery up", commands::discard_delivery),
        get("/api/quarantine", "Records that wait for a person", reads::quarantine),
        get("/api/quarantine/{record}", "A record that waits, and why", reads::quarantined),
        post("/api/quarantine/{record}/retry", "Map a record again", commands::retry),
        post("/api/quarantine/{record}/accept", "Take a record that was held back", commands::accept),
        post("/api/quarantine/{record}/discard", "Give a record up", commands::discard_record),
        get("/api/tasks", "Tasks of employees", reads::tasks),
        get("/api/tasks/{id}", "A task", reads::task),
        post("/api/tasks/{id}/done", "A task is done", commands::complete_task),
        post("/api/tasks/{id}/cancel", "A task is not needed", commands::cancel_task),
        get("/api/sources", "What is read, and how far", reads::sources),
        post("/api/sources/{connection}/load", "Load the history of a source", commands::load),
        get("/api/journal", "Entries of the journal", reads::journal),
        get("/api/journal/{position}", "An entry of the journal", reads::entry),
        get("/api/connections/{name}/tokens", "How a connection stands with its tokens", connect::show),
        post("/api/connections/{name}/connect", "Connect to a foreign system where a person agrees", connect::connect),
        post("/api/probe", "How every connection stands, asked online", probe::all),
        post("/api/probe/{connection}", "How a connection stands, asked online", probe::one),
        get("/api/snapshots", "Snapshots", keeping::list),
        post("/api/snapshots", "Make a snapshot", keeping::make),
        post("/api/snapshots/verify", "Read every snapshot", keeping::verify),
        get("/api/retention", "What would be removed of the journal", keeping::retention),
        post("/api/retention", "Remove what is older", keeping::prune),
        get("/api/privacy/{client}", "What erasing a person would take", privacy::plan),
        post("/api/privacy/{client}", "Erase a person", privacy::erase),
        get("/api/privacy/{client}/export", "Everything that is held of a person", privacy::export),
        get("/api/sync", "How sinks stand", sync::status),
        get("/api/sync/plans", "Plans", sync::plans),
        post("/api/sync/plans", "Make a plan of what a sink would be told", sync::make),
        get("/api/sync/look", "How far a look for a plan is", sync::looking),
        post("/api/sync/look", "Make a plan, and look into the sink for what it would create", sync::look),
        get("/api/sync/plans/{plan}", "A plan, line by line", sync::show),
        post("/api/sync/plans/{plan}/apply", "Apply a plan", sync::apply),
        post("/api/sync/sinks/{sink}/pause", "Tell a sink nothing for now", sync::pause),
        post("/api/sync/sinks/{sink}/resume", "Go on telling a sink", sync::resume),
        get("/api/page/links", "Links to the page of the head of sales that hold", page::links),
        post("/api/page/links", "Make a link to the page; its address is shown once", page::make),
        post("/api/page/links/{id}/revoke", "Take a link back", page::revoke),
        post("/api/page/revoke", "Take all links back", page::revoke_all),
        get("/api/rows-hash", "Hash over every row, with its checkpoint", reads::rows_hash),
    ]
}

/// Everything of the interface; all paths begin with `/api/`.
pub fn router(control: Arc<Control>) -> Router {
    let router = routes().into_iter().fold(Router::new(), |router, it| router.route(it.path, it.handler));
    router.with_state(control)
}

/// The interface in OpenAPI 3.1.
pub fn openapi() -> &'static Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(|| openapi::document(&routes()));
    &DOCUMENT
}

async fn description() -> Json<Value> {
    Json(openapi().clone())
}
