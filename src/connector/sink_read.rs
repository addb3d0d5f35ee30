//! Reads `[sink]`.
//!
//! ```toml
//! [sink]
//! address = "webhook_url"          # the setting with the base address
//! auth = "path_secret"             # path_secret | bearer | header | query | standard_webhooks
//! # auth_setting = "token"         # for the other four
//! # auth_name = "X-Api-Key"        # for header and query
//! body = "json"                    # json | form
//! batch = "bitrix24"               # a named strategy; absent: one request each
//! error_code = "error"             # paths in an answer
//! error_text = "error_description"
//! quota = { requests = 2, per_ms = 1000, burst = 40 }
//! settle_s = 75                    # how long a request whose answer was lost may be at work there
//! knock = { path = "server.time" }
//! budget = { spent = "time.operating", reset_at = "time.operating_reset_at", limit_s = 420 }
//! # hosts = { ".example.com" = 460 } in it: another limit where the host's name ends so
//!
//! [[sink.rule]]                    # the first that fits; none fits: 2xx without an error is done,
//! status = [503]                   # 408 and 5xx are uncertain, 429 is tried again, 401 and 403
//! code = "QUERY_LIMIT_EXCEEDED"    # reject the connection, other errors reject the object
//! then = "retry"                   # done | retry | uncertain | gone | reject_object | reject_connection
//! scope = "sink"                   # of a retry: object | method | sink
//! after_ms = 1000                  # of a retry; also after_header, after_path
//!
//! [[sink.object]]
//! kind = "contact"                 # the foreign kind
//! of = "client"                    # client | deal | interaction
//! client_kind = "person"           # person | company
//! mapping = "contact"
//! create_kind = "findable"         # keyed | findable | neither; keyed without an `id`: ours is the key
//! page = "/crm/contact/details/$id/"                # where a person sees it, from the root of the address
//! multi = { PHONE = "digits", EMAIL = "text" }      # compared by digits, as text
//! # multi_value = "VALUE", multi_id = "ID"          # where value and id stand in an item
//! create = { path = "crm.contact.add", body = { fields = "$fields" }, id = "result" }
//! # import = { path = "...", body = { data = "$rows" }, naming = "bitrix24_item", rename = { A = "b" },
//! #     rows = "result.items", id = "item.id", rows_max = 20 }   # history, without starting anything
//! update = { path = "crm.contact.update", body = { id = "$id", fields = "$fields" } }
//! get = { path = "crm.contact.get", body = { id = "$id" }, record = "result" }
//!
//! [[sink.object.find]]
//! by = "phone"                     # origin | phone | email | inn
//! path = "crm.duplicate.findbycomm"
//! body = { type = "PHONE", values = "$values", entity_type = "CONTACT" }
//! rows = "result.CONTACT"
//! # id = "ID", contains_origin = "COMMENT", next = "next", values_max = 20
//!
//! [sink.object.provision]
//! list = { path = "crm.contact.userfield.list" }
//! rows = "result"
//! name = "FIELD_NAME"
//! prefix = "UF_CRM_"
//! add = { path = "...", body = { fields = { FIELD_NAME = "$bare_name", USER_TYPE_ID = "$type" } } }
//! [[sink.object.provision.field]]
//! name = "UF_CRM_UZEL_CLASS"
//! type = "string"
//! label_ru = "..."
//! label_en = "..."
//! ```

use compact_str::CompactString;

use super::body::{BodyTemplate, PathTemplate, Slot};
use super::sink::{
    After, Auth, BatchStrategy, BodyStyle, Budget, ClientSort, Compare, Create, Custom, FindBy, FindSpec, FindWhere,
    FinishSpec, GetSpec, Http, ImportSpec, MultiField, Naming, ObjectKind, ObjectSpec, Provision, Quota, RequestSpec,
    ResponseRule, Scope, SinkSpec, StatusMatch, Then,
};
use super::source::slug;
use crate::base::Message;
use crate::base::limits::{DELIVERY_BATCH_MAX, SETTLE_S, SETTLE_S_MAX};
use crate::field::reader::unknown_word;
use crate::field::{FieldSpec, Node, NodeKind, Table};
use crate::value::Path;

/// Places of requests by what the request is about.
const OBJECT: &[&str] = &["fields", "all", "field.NAME", "id", "origin"];
const IMPORT: &[&str] = &["rows"];
const FIND: &[&str] = &["values", "origin", "field.NAME", "start"];
const CUSTOM: &[&str] = &["name", "bare_name", "type", "label_ru", "label_en", "start"];

/// Wait after an answer that says "later" and not when, ms.
const AFTER_MS: u32 = 60_000;

/// Reads the sink; `None` when something without which nothing makes sense is missing (it is
/// reported).
pub(super) fn read(table: Table<'_>, settings: &[FieldSpec]) -> Option<SinkSpec> {
    let address = setting_name(&table, "address", settings);
    let auth = read_auth(&table, settings);
    let body = table.choice("body", &[("json", BodyStyle::Json), ("form", BodyStyle::Form)]);
    let batch = table.choice("batch", &[("bitrix24", BatchStrategy::Bitrix24)]);
    let error_code = path(&table, "error_code");
    let error_text = path(&table, "error_text");
    let quota = read_quota(&table);
    let budget = table.table("budget").and_then(read_budget);
    let knock = table.table("knock").and_then(|it| read_request(it, &[]));
    let settle_s = table.integer_in("settle_s", 0, i64::from(SETTLE_S_MAX));
    let rules = table.tables("rule").into_iter().filter_map(read_rule).collect();
    let objects: Vec<ObjectSpec> = table.tables("object").into_iter().filter_map(read_object).collect();
    if table.list("object").is_empty() {
        missing(&table, "object");
    }
    table.close();
    let body = body.unwrap_or(BodyStyle::Json);
    Some(SinkSpec {
        address: address?,
        auth: auth?,
        body,
        batch,
        error_code,
        error_text,
        quota,
        budget,
        knock,
        rules,
        settle_s: settle_s.and_then(|it| u32::try_from(it).ok()).unwrap_or(SETTLE_S),
        objects,
    })
}

fn missing(table: &Table<'_>, name: &str) {
    table.lint().report(table.line, Message::new("toml-missing").with("name", name));
}

/// A required word out of a closed set.
fn required_choice<T: Copy>(table: &Table<'_>, name: &str, choices: &[(&str, T)]) -> Option<T> {
    if table.node(name).is_none() {
        missing(table, name);
    }
    table.choice(name, choices)
}

/// A required text that names a declared setting.
fn setting_name(table: &Table<'_>, name: &str, settings: &[FieldSpec]) -> Option<String> {
    let text = table.required_text(name)?;
    let known = || settings.iter().map(|it| it.name.as_str());
    if !known().any(|it| it == text) {
        table.report(name, unknown_word("connector-setting", text, known()));
    }
    Some(text.to_owned())
}

#[derive(Clone, Copy)]
enum AuthKind {
    PathSecret,
    Bearer,
    Header,
    Query,
    StandardWebhooks,
}

fn read_auth(table: &Table<'_>, settings: &[FieldSpec]) -> Option<Auth> {
    let kinds = [
        ("path_secret", AuthKind::PathSecret),
        ("bearer", AuthKind::Bearer),
        ("header", AuthKind::Header),
        ("query", AuthKind::Query),
        ("standard_webhooks", AuthKind::StandardWebhooks),
    ];
    let name = |table: &Table<'_>| table.required_text("auth_name").map(str::to_owned);
    let setting = |table: &Table<'_>| setting_name(table, "auth_setting", settings);
    Some(match required_choice(table, "auth", &kinds)? {
        AuthKind::PathSecret => Auth::PathSecret,
        AuthKind::Bearer => Auth::Bearer(setting(table)?),
        AuthKind::Header => Auth::Header { name: name(table)?, setting: setting(table)? },
        AuthKind::StandardWebhooks => Auth::StandardWebhooks(setting(table)?),
        AuthKind::Query => Auth::Query { name: name(table)?, setting: setting(table)? },
    })
}

/// Without a quota in the manifest: two requests a second, which no system has been seen to mind.
fn read_quota(table: &Table<'_>) -> Quota {
    let Some(quota) = table.table("quota") else { return Quota { requests: 2, per_ms: 1_000, burst: 2 } };
    let requests = quota.integer_in("requests", 1, 10_000).unwrap_or(2) as u32;
    let per_ms = quota.integer_in("per_ms", 100, 86_400_000).unwrap_or(1_000) as u32;
    let burst = quota.integer_in("burst", 1, 10_000).unwrap_or(1) as u32;
    quota.close();
    Quota { requests, per_ms, burst }
}

fn read_budget(table: Table<'_>) -> Option<Budget> {
    let spent = required_path(&table, "spent");
    let reset_at = required_path(&table, "reset_at");
    table.required_integer("limit_s");
    let limit_s = table.integer_in("limit_s", 1, 86_400);
    let mut hosts = Vec::new();
    if let Some(inner) = table.table("hosts") {
        let ends: Vec<&str> = inner.entries().map(|(end, _, _)| end).collect();
        for end in ends {
            let limit_s = inner.integer_in(end, 1, 86_400);
            hosts.extend(limit_s.map(|limit_s| (CompactString::new(end.to_ascii_lowercase()), limit_s as u32)));
        }
        inner.close();
    }
    table.close();
    Some(Budget { spent: spent?, reset_at: reset_at?, limit_s: limit_s? as u32, hosts })
}

pub(super) fn path(table: &Table<'_>, name: &str) -> Option<Path> {
    match Path::compile(table.text(name)?) {
        Ok(path) => Some(path),
        Err(error) => {
            table.report(name, error.message);
            None
        }
    }
}

pub(super) fn required_path(table: &Table<'_>, name: &str) -> Option<Path> {
    table.required_text(name)?;
    path(table, name)
}

#[derive(Clone, Copy, PartialEq)]
enum ThenKind {
    Done,
    Retry,
    Uncertain,
    Gone,
    RejectObject,
    RejectMethod,
    RejectConnection,
}

fn read_rule(table: Table<'_>) -> Option<ResponseRule> {
    let kinds = [
        ("done", ThenKind::Done),
        ("retry", ThenKind::Retry),
        ("uncertain", ThenKind::Uncertain),
        ("gone", ThenKind::Gone),
        ("reject_object", ThenKind::RejectObject),
        ("reject_method", ThenKind::RejectMethod),
        ("reject_connection", ThenKind::RejectConnection),
    ];
    let status = read_status(&table);
    let code = table.texts("code").into_iter().map(|(text, _)| text.to_owned()).collect();
    let text = table.text("text").map(str::to_lowercase);
    let json = table.boolean("json");
    let then = match required_choice(&table, "then", &kinds) {
        Some(ThenKind::Done) => Some(Then::Done),
        Some(ThenKind::Retry) => Some(read_retry(&table)),
        Some(ThenKind::Uncertain) => Some(Then::Uncertain),
        Some(ThenKind::Gone) => Some(Then::Gone),
        Some(ThenKind::RejectObject) => Some(Then::RejectObject),
        Some(ThenKind::RejectMethod) => Some(Then::RejectMethod),
        Some(ThenKind::RejectConnection) => Some(Then::RejectConnection),
        None => None,
    };
    table.close();
    Some(ResponseRule { status, code, text, json, then: then? })
}

fn read_retry(table: &Table<'_>) -> Then {
    let scopes = [("object", Scope::Object), ("method", Scope::Method), ("sink", Scope::Sink)];
    let scope = table.choice("scope", &scopes).unwrap_or(Scope::Object);
    let ms = table.integer_in("after_ms", 1, 86_400_000).map(|ms| ms as u32);
    let header = table.text("after_header").map(str::to_owned);
    let after = match (header, path(table, "after_path"), ms) {
        (Some(header), _, ms) => After::Header(header, ms.unwrap_or(AFTER_MS)),
        (None, Some(path), ms) => After::Path(path, ms.unwrap_or(AFTER_MS)),
        (None, None, Some(ms)) => After::Ms(ms),
        (None, None, None) => After::Schedule,
    };
    Then::Retry { after, scope }
}

/// `status = 503`, `"5xx"`, or a list of such.
fn read_status(table: &Table<'_>) -> Vec<StatusMatch> {
    let Some(node) = table.node("status") else { return Vec::new() };
    let items = match &node.kind {
        NodeKind::List(items) => items.as_slice(),
        NodeKind::Text(_)
        | NodeKind::Integer(_)
        | NodeKind::Float(_)
        | NodeKind::Bool(_)
        | NodeKind::Datetime(_)
        | NodeKind::Table(_) => std::slice::from_ref(node),
    };
    let mut matches = Vec::new();
    for item in items {
        let status = match &item.kind {
            NodeKind::Integer(number @ 100..=599) => Some(StatusMatch::Exact(*number as u16)),
            NodeKind::Text(text) => match text.as_bytes() {
                [digit @ b'1'..=b'5', b'x', b'x'] => Some(StatusMatch::Class(digit - b'0')),
                _ => None,
            },
            _ => None,
        };
        match status {
            Some(status) => matches.push(status),
            None => table.lint().report(item.line, Message::new("connector-status")),
        }
    }
    matches
}

fn read_object(table: Table<'_>) -> Option<ObjectSpec> {
    let kinds = [
        ("client", ObjectKind::Client),
        ("deal", ObjectKind::Deal),
        ("interaction", ObjectKind::Interaction),
        ("task", ObjectKind::Task),
    ];
    let creates = [("keyed", Create::Keyed), ("findable", Create::Findable), ("neither", Create::Neither)];
    let kind = table.required_text("kind").and_then(|text| slug(&table, "kind", text));
    let of = required_choice(&table, "of", &kinds);
    let client_kind = table.choice("client_kind", &[("person", ClientSort::Person), ("company", ClientSort::Company)]);
    let mapping = table.required_text("mapping").map(str::to_owned);
    let create_kind = required_choice(&table, "create_kind", &creates);
    let marker = table.text("marker").map(str::to_owned);
    let multi = read_multi(&table);
    let create = required_table(&table, "create").and_then(read_create);
    let import = table.table("import").and_then(read_import);
    let update = table.table("update").and_then(|it| read_request(it, OBJECT));
    let finish = table.table("finish").and_then(read_finish);
    let get = table.table("get").and_then(|it| read_get(it, OBJECT));
    let find: Vec<FindSpec> = table.tables("find").into_iter().filter_map(read_find).collect();
    let provision = table.table("provision").and_then(read_provision);
    let page = table.text("page").map(str::to_owned);
    if page.as_ref().is_some_and(|page| !page.starts_with('/') || page.starts_with("//") || !page.contains("$id")) {
        table.report("page", Message::new("connector-page"));
    }
    let finds_origin = find.iter().any(|it| it.by == FindBy::Origin);
    if create_kind == Some(Create::Findable) && !finds_origin && table.list("find").len() == find.len() {
        table.report("create_kind", Message::new("connector-find-origin"));
    }
    if !multi.is_empty() && update.is_some() && table.node("get").is_none() {
        table.report("multi", Message::new("connector-multi-get"));
    }
    // Without a natural key only the answer can say which object it is.
    if create_kind.is_some_and(|it| it != Create::Keyed) && matches!(create, Some((_, None))) {
        let create = table.table("create");
        create.iter().for_each(|create| missing(create, "id"));
    }
    table.close();
    let (create, id) = create?;
    Some(ObjectSpec {
        kind: kind?,
        of: of?,
        client_kind,
        mapping: mapping?,
        create_kind: create_kind?,
        marker,
        multi,
        create,
        id,
        import,
        update,
        finish,
        get,
        find,
        provision,
        page,
    })
}

fn required_table<'a>(table: &Table<'a>, name: &str) -> Option<Table<'a>> {
    let inner = table.table(name);
    if inner.is_none() {
        missing(table, name);
    }
    inner
}

fn read_multi(table: &Table<'_>) -> Vec<MultiField> {
    let Some(multi) = table.table("multi") else { return Vec::new() };
    let kinds = [("digits", Compare::Digits), ("text", Compare::Text)];
    let value = table.text("multi_value").unwrap_or("VALUE");
    let id = table.text("multi_id").unwrap_or("ID");
    let field = |(name, ..): (&str, u32, &Node)| {
        let compare = multi.choice(name, &kinds)?;
        Some(MultiField { name: name.to_owned(), value: value.to_owned(), id: id.to_owned(), compare })
    };
    multi.entries().filter_map(field).collect()
}

/// Path, method and body of a request; the caller closes the table.
pub(super) fn request(table: &Table<'_>, words: &[&str]) -> Option<RequestSpec> {
    let methods = [("GET", Http::Get), ("POST", Http::Post), ("PUT", Http::Put), ("PATCH", Http::Patch)];
    let http = table.choice("http", &methods).unwrap_or(Http::Post);
    let body = table.node("body").map(|node| BodyTemplate::read(table.lint(), node, words));
    let path = match PathTemplate::read(table.required_text("path")?, words) {
        Ok(path) => path,
        Err(message) => {
            table.report("path", message);
            return None;
        }
    };
    Some(RequestSpec { http, path, body: body.unwrap_or_else(BodyTemplate::empty) })
}

pub(super) fn read_request(table: Table<'_>, words: &[&str]) -> Option<RequestSpec> {
    let request = request(&table, words);
    table.close();
    request
}

fn read_create(table: Table<'_>) -> Option<(RequestSpec, Option<Path>)> {
    let request = request(&table, OBJECT);
    let id = path(&table, "id");
    table.close();
    Some((request?, id))
}

fn read_import(table: Table<'_>) -> Option<ImportSpec> {
    let request = request(&table, IMPORT);
    if let Some(request) = &request
        && !request.body.has(&Slot::Rows)
    {
        table.report("body", Message::new("connector-import-rows"));
    }
    let namings = [("plain", Naming::Plain), ("bitrix24_item", Naming::Bitrix24Item)];
    let naming = table.choice("naming", &namings).unwrap_or(Naming::Plain);
    let rename = table.table("rename").map(|names| {
        let one = |(name, ..): (&str, u32, &Node)| Some((name.to_owned(), names.text(name)?.to_owned()));
        names.entries().filter_map(one).collect()
    });
    let rows = required_path(&table, "rows");
    let id = required_path(&table, "id");
    let rows_max = table.integer_in("rows_max", 1, DELIVERY_BATCH_MAX as i64).unwrap_or(1) as usize;
    table.close();
    Some(ImportSpec { request: request?, naming, rename: rename.unwrap_or_default(), rows: rows?, id: id?, rows_max })
}

fn read_finish(table: Table<'_>) -> Option<FinishSpec> {
    let field = table.required_text("field").map(str::to_owned);
    let request = request(&table, OBJECT);
    table.close();
    Some(FinishSpec { field: field?, request: request? })
}

pub(super) fn read_get(table: Table<'_>, words: &[&str]) -> Option<GetSpec> {
    let request = request(&table, words);
    let record = required_path(&table, "record");
    table.close();
    Some(GetSpec { request: request?, record: record? })
}

fn read_find(table: Table<'_>) -> Option<FindSpec> {
    let kinds = [("origin", FindBy::Origin), ("phone", FindBy::Phone), ("email", FindBy::Email), ("inn", FindBy::Inn)];
    let by = required_choice(&table, "by", &kinds);
    let request = request(&table, FIND);
    let rows = required_path(&table, "rows");
    let id = path(&table, "id");
    let only = path(&table, "contains_origin").map(|contains_origin| FindWhere { contains_origin });
    let next = path(&table, "next");
    let values_max = table.integer_in("values_max", 1, 1_000).unwrap_or(20) as usize;
    if let (Some(_), Some(request)) = (&next, &request)
        && !request.body.has(&Slot::Start)
    {
        table.report("next", Message::new("connector-next-start"));
    }
    table.close();
    Some(FindSpec { by: by?, request: request?, rows: rows?, id, only, next, values_max })
}

fn read_provision(table: Table<'_>) -> Option<Provision> {
    let list = required_table(&table, "list").and_then(|it| read_request(it, CUSTOM));
    let rows = required_path(&table, "rows");
    let name = required_path(&table, "name");
    let next = path(&table, "next");
    let add = required_table(&table, "add").and_then(|it| read_request(it, CUSTOM));
    let prefix = table.text("prefix").unwrap_or_default().to_owned();
    let fields = table.tables("field").into_iter().filter_map(read_custom).collect();
    table.close();
    Some(Provision { list: list?, rows: rows?, name: name?, next, add: add?, prefix, fields })
}

fn read_custom(table: Table<'_>) -> Option<Custom> {
    let name = table.required_text("name").map(str::to_owned);
    let kind = table.required_text("type").map(str::to_owned);
    let label_ru = table.required_text("label_ru").map(str::to_owned);
    let label_en = table.required_text("label_en").map(str::to_owned);
    table.close();
    Some(Custom { name: name?, kind: kind?, label: (label_ru?, label_en?) })
}
