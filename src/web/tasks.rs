//! `/page/tasks`: everything that waits for somebody, by its deadline.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query as Params, Request, State};
use axum::response::Response;
use serde::Deserialize;

use super::{Fault, Frame, Visitor, Web, code, frame, other, words};
use crate::base::limits::PRIORITY_ROWS;
use crate::base::{Locale, Message};
use crate::query::Listing;
use crate::query::views::TaskLine;

/// What stands in the address.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct TasksParams {
    lang: Option<Locale>,
    of: Option<String>,
    after: Option<String>,
}

#[derive(Template)]
#[template(path = "tasks.html")]
struct TasksPage {
    frame: Frame,
    rows: Vec<TaskRow>,
    nothing: String,
    back: String,
    first: String,
    next: String,
}

/// A task as pages show it.
pub(super) struct TaskRow {
    pub(super) title: String,
    pub(super) client: String,
    pub(super) responsible: String,
    pub(super) due: String,
    /// How late it is; empty when it is not.
    pub(super) late: String,
    /// Its deal in the CRM.
    pub(super) link: Option<String>,
}

/// The address of a page of tasks.
pub(super) fn href(lang: Option<Locale>, of: Option<&str>, after: Option<&str>) -> String {
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    pairs.extend(lang.map(|lang| ("lang", code(lang))));
    pairs.extend(of.map(|of| ("of", of)));
    pairs.extend(after.map(|after| ("after", after)));
    match serde_urlencoded::to_string(&pairs) {
        Ok(query) if !query.is_empty() => format!("/page/tasks?{query}"),
        Ok(_) | Err(_) => "/page/tasks".to_owned(),
    }
}

/// Rows of tasks, each with its deal in the CRM.
pub(super) fn task_rows(web: &Web, lines: Vec<TaskLine>, locale: Locale) -> Result<Vec<TaskRow>, Fault> {
    let query = &web.parts.query;
    let today = query.local(web.parts.clock.now());
    let mut rows = Vec::with_capacity(lines.len());
    for line in lines {
        let deal = line.deal.as_deref().and_then(|id| id.parse().ok());
        let link = match deal {
            Some(deal) => query.deal_link(deal, &web.parts.origins)?,
            None => None,
        };
        rows.push(TaskRow {
            title: line.title,
            client: line.client_name,
            responsible: line.responsible.unwrap_or_default(),
            due: words::short(&line.due, &today, locale),
            late: if line.is_overdue { words::late(line.late_minutes, locale) } else { String::new() },
            link,
        });
    }
    Ok(rows)
}

pub(super) async fn show(
    State(web): State<Arc<Web>>,
    params: Result<Params<TasksParams>, axum::extract::rejection::QueryRejection>,
    request: Request,
) -> Response {
    let params = params.map(|it| it.0).unwrap_or_default();
    let (head, _) = request.into_parts();
    let browser = head.extensions.get::<Visitor>().map(|visitor| visitor.locale).unwrap_or_default();
    let locale = params.lang.unwrap_or(browser);
    super::page(State(web), &head, locale, move |web| make(web, &params, locale)).await
}

fn make(web: &Web, params: &TasksParams, locale: Locale) -> Result<TasksPage, Fault> {
    let of = params.of.as_deref().filter(|of| !of.is_empty());
    // A place that does not read is the beginning.
    let after = params.after.clone().filter(|text| text.parse::<crate::base::TaskId>().is_ok());
    let listing = Listing {
        locale,
        rows_max: PRIORITY_ROWS,
        responsible: of.map(str::to_owned),
        after: after.clone(),
        ..Listing::default()
    };
    let page = web.parts.query.tasks(&listing, web.parts.clock.now())?;
    let rows = task_rows(web, page.rows, locale)?;
    Ok(TasksPage {
        frame: frame(web, "page-tasks-title", locale, href(Some(other(locale)), of, after.as_deref())),
        nothing: if rows.is_empty() { Message::new("page-no-tasks").render(locale) } else { String::new() },
        rows,
        back: match params.lang {
            Some(lang) => format!("/?lang={}", code(lang)),
            None => "/".to_owned(),
        },
        first: if after.is_some() { href(params.lang, of, None) } else { String::new() },
        next: page.next.map(|next| href(params.lang, of, Some(&next))).unwrap_or_default(),
    })
}
