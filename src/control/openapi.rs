//! `GET /api/openapi.json`: the interface described in OpenAPI 3.1, so that a program can be written
//! against it without reading ours.
//!
//! Nothing here is written by hand that the code knows: paths and methods are those of the table
//! that the router is made of ([`super::routes`]); parameters, bodies and answers are the types of
//! the functions that answer ([`Described`]), with the comments of their fields. So the document
//! cannot say something else than the interface does.

use std::future::Future;

use axum::Json;
use axum::extract::{Path, Query as Params, State};
use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, on};
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use super::{Refusal, RefusalBody};

/// Where schemas stand in the document.
const SCHEMAS: &str = "/components/schemas";

/// A line of the table of routes.
pub(super) struct Route<S> {
    /// `GET` or `POST`.
    pub(super) method: &'static str,
    /// With its parameters: `/api/clients/{id}`.
    pub(super) path: &'static str,
    /// What it does, in a line.
    says: &'static str,
    describe: fn(&mut Drawing),
    /// What answers.
    pub(super) handler: MethodRouter<S>,
}

/// A view.
pub(super) fn get<S, H, A, T>(path: &'static str, says: &'static str, handler: H) -> Route<S>
where
    H: Handler<A, S> + Described<T>,
    S: Clone + Send + Sync + 'static,
    A: 'static,
{
    Route { method: "GET", path, says, describe: H::describe, handler: on(MethodFilter::GET, handler) }
}

/// A command.
pub(super) fn post<S, H, A, T>(path: &'static str, says: &'static str, handler: H) -> Route<S>
where
    H: Handler<A, S> + Described<T>,
    S: Clone + Send + Sync + 'static,
    A: 'static,
{
    Route { method: "POST", path, says, describe: H::describe, handler: on(MethodFilter::POST, handler) }
}

/// What is told of one operation.
pub(super) struct Drawing {
    /// Types that come out.
    answers: SchemaGenerator,
    /// Types that come in: what may be left out is another matter there.
    asks: SchemaGenerator,
    parameters: Vec<Value>,
    body: Option<Schema>,
    answer: Option<Schema>,
}

/// A function that answers: its arguments and its result say what the operation is.
pub(super) trait Described<T> {
    /// Draws the operation.
    fn describe(drawing: &mut Drawing);
}

/// An argument of such a function.
pub(super) trait Part {
    /// What it adds to the operation.
    fn draw(drawing: &mut Drawing);
}

/// A result of such a function.
pub(super) trait Answered {
    /// The type of the body.
    type Body: JsonSchema;
}

impl<S> Part for State<S> {
    fn draw(_drawing: &mut Drawing) {}
}

/// The names of parts of a path stand in the path.
impl<P> Part for Path<P> {
    fn draw(_drawing: &mut Drawing) {}
}

impl<Q: JsonSchema> Part for Params<Q> {
    fn draw(drawing: &mut Drawing) {
        let mut whole = inline().into_root_schema_for::<Q>();
        let Some(Value::Object(properties)) = whole.remove("properties") else { return };
        for (name, mut schema) in properties {
            let description = schema.as_object_mut().and_then(|it| it.remove("description"));
            present(&mut schema);
            let mut parameter = json!({ "name": name, "in": "query", "required": false, "schema": schema });
            if name == "lang" {
                parameter["description"] = "Language of texts".into();
            }
            if let Some(description) = description {
                parameter["description"] = description;
            }
            drawing.parameters.push(parameter);
        }
    }
}

impl<B: JsonSchema> Part for Json<B> {
    fn draw(drawing: &mut Drawing) {
        drawing.body = Some(drawing.asks.subschema_for::<B>());
    }
}

impl<B: JsonSchema> Answered for Json<B> {
    type Body = B;
}

impl<B: JsonSchema> Answered for Result<Json<B>, Refusal> {
    type Body = B;
}

macro_rules! described {
    ($($part:ident),*) => {
        impl<F, Later, Out, $($part),*> Described<($($part,)*)> for F
        where
            F: Fn($($part),*) -> Later,
            Later: Future<Output = Out>,
            Out: Answered,
            $($part: Part,)*
        {
            fn describe(drawing: &mut Drawing) {
                $($part::draw(drawing);)*
                drawing.answer = Some(drawing.answers.subschema_for::<Out::Body>());
            }
        }
    };
}

described!();
described!(A);
described!(A, B);
described!(A, B, C);
described!(A, B, C, D);

fn settings() -> SchemaSettings {
    SchemaSettings::draft2020_12().with(|it| {
        it.definitions_path = SCHEMAS.into();
        it.meta_schema = None;
    })
}

/// Without references: for parameters.
fn inline() -> SchemaGenerator {
    settings().with(|it| it.inline_subschemas = true).into_generator()
}

/// A parameter that is given is not null.
fn present(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|it| it != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    let Some(Value::Array(mut choices)) = object.remove("anyOf") else { return };
    choices.retain(|it| it["type"] != "null");
    match choices.pop() {
        Some(Value::Object(only)) if choices.is_empty() => object.extend(only),
        Some(last) => {
            choices.push(last);
            object.insert("anyOf".to_owned(), choices.into());
        }
        None => {}
    }
}

/// The parameters that stand in a path.
fn path_parameters(path: &str) -> impl Iterator<Item = Value> + '_ {
    let named = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    named.map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
}

/// `get_clients_id_why`
fn operation_id<S>(route: &Route<S>) -> String {
    let words = route.path.trim_start_matches("/api/").split(['/', '-', '.']).map(|it| it.trim_matches(['{', '}']));
    let words: Vec<&str> = words.collect();
    format!("{}_{}", route.method.to_lowercase(), words.join("_"))
}

fn content(schema: &Schema) -> Value {
    json!({ "application/json": { "schema": schema } })
}

/// The document of a table.
pub(super) fn document<S>(routes: &[Route<S>]) -> Value {
    let mut drawing = Drawing {
        answers: settings().for_serialize().into_generator(),
        asks: settings().for_deserialize().into_generator(),
        parameters: Vec::new(),
        body: None,
        answer: None,
    };
    let refusal = drawing.answers.subschema_for::<RefusalBody>();
    let mut paths: Map<String, Value> = Map::new();
    for route in routes {
        (route.describe)(&mut drawing);
        let parameters: Vec<Value> = path_parameters(route.path).chain(drawing.parameters.drain(..)).collect();
        let answer = drawing.answer.take().expect("every function that answers has an answer");
        let mut operation = json!({
            "operationId": operation_id(route),
            "summary": route.says,
            "tags": [route.path.split('/').nth(2).unwrap_or_default()],
            "parameters": parameters,
            "responses": {
                "200": { "description": "Done", "content": content(&answer) },
                "default": {
                    "description": "Refused or failed; the text says why and what to do. Without the token: 401, plain text",
                    "content": content(&refusal),
                },
            },
        });
        if let Some(body) = drawing.body.take() {
            operation["requestBody"] = json!({ "required": true, "content": content(&body) });
        }
        let at = paths.entry(route.path).or_insert_with(|| Value::Object(Map::new()));
        at[route.method.to_lowercase()] = operation;
    }
    let mut schemas = drawing.asks.take_definitions(true);
    schemas.extend(drawing.answers.take_definitions(true));
    schemas.sort_keys();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Uzel",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The JSON interface of the daemon: what its command line shows and does. A command answers when it is applied. Texts are in the language of `lang`.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "`api.token` of vault.json" },
            },
        },
    })
}
