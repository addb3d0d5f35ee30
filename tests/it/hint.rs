//! Messages that something changed: whose are believed, and what they name. Rows as the facts say
//! (facts/crm/bitrix24.md section 6e; the twin's own notice is one of them).

use std::sync::{Arc, LazyLock, Mutex};

use proptest::prelude::*;
use uzel::base::{Secret, Slug};
use uzel::connector::{Connector, HintSpec};
use uzel::source::hint::{HintSource, Hinted};

const ADDRESS: &str = "k3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3";
const TOKEN: &str = "51856fefc120afa4b628cc82d3935cce";

struct SourceParts {
    connection: Slug,
    slug: Slug,
    spec: HintSpec,
}

fn parts() -> SourceParts {
    let text = include_str!("../../connectors/bitrix24/connector.toml");
    let slug = Slug::new("bitrix24").expect("a slug");
    let connector = Connector::compile(slug.clone(), "connector.toml", text).expect("the built-in manifest");
    let spec = connector.hints.expect("it is told of changes");
    SourceParts { connection: Slug::new("crm").expect("a slug"), slug, spec }
}

fn source(tokens: &[&str]) -> HintSource {
    let SourceParts { connection, slug, spec } = parts();
    let tokens = tokens.iter().map(|it| Secret::new(*it)).collect();
    HintSource::new(connection, slug, spec, vec![Secret::new(ADDRESS)], tokens)
}

/// One whose token is not known yet, at an address whose secret part is `secret`.
pub(crate) fn learning(secret: &str) -> HintSource {
    let SourceParts { connection, slug, spec } = parts();
    HintSource::new(connection, slug, spec, vec![Secret::new(secret)], Vec::new()).learning(|_| true)
}

fn shown(hinted: Hinted) -> String {
    match hinted {
        Hinted::Look { stream, id } => format!("look {stream} {id}"),
        Hinted::Nothing => "nothing".to_owned(),
        Hinted::Unknown => "unknown".to_owned(),
        Hinted::Forbidden => "forbidden".to_owned(),
    }
}

#[test]
fn only_the_right_address_and_token_are_believed_and_only_what_is_read_is_named() {
    let auth = format!("auth%5Bapplication_token%5D={TOKEN}");
    let update = format!("event=ONCRMDEALUPDATE&data%5BFIELDS%5D%5BID%5D=7&ts=1&{auth}");
    for (secret, body, expected) in [
        (ADDRESS, update.clone(), "look deal 7"),
        (ADDRESS, update.replace("ONCRMDEALUPDATE", "OnCrmContactDelete"), "look contact 7"),
        (ADDRESS, update.replace("%5B", "[").replace("%5D", "]"), "look deal 7"),
        ("wrong", update.clone(), "unknown"),
        ("", update.clone(), "unknown"),
        (ADDRESS, update.replace(TOKEN, "wrong"), "forbidden"),
        (ADDRESS, update.replace(&auth, ""), "forbidden"),
        (ADDRESS, String::new(), "forbidden"),
        (ADDRESS, update.replace("ONCRMDEALUPDATE", "ONTASKADD"), "nothing"),
        (ADDRESS, update.replace("=7&", "=7;DROP&"), "nothing"),
        (ADDRESS, update.replace("=7&", "=&"), "nothing"),
        (ADDRESS, update.replace("=7&", "=123456789012345678901&"), "nothing"),
    ] {
        assert_eq!(shown(source(&[TOKEN]).read(secret, body.as_bytes())), expected, "{body}");
    }
    // While the token is changed both are good; without any nobody is believed.
    assert_eq!(shown(source(&["new", TOKEN]).read(ADDRESS, update.as_bytes())), "look deal 7");
    assert_eq!(shown(source(&[]).read(ADDRESS, update.as_bytes())), "forbidden");
}

#[test]
fn the_token_of_the_first_message_is_learnt_where_nobody_is_shown_it() {
    let message =
        |token: &str| format!("event=ONCRMDEALUPDATE&data[FIELDS][ID]=7&auth[application_token]={token}").into_bytes();
    let kept: Arc<Mutex<Vec<String>>> = Arc::default();
    let keep = Arc::clone(&kept);
    let SourceParts { connection, slug, spec } = parts();
    let source = HintSource::new(connection, slug, spec, vec![Secret::new(ADDRESS)], Vec::new()).learning(move |it| {
        keep.lock().expect("not poisoned").push(it.expose().to_owned());
        true
    });
    let other = "0".repeat(32);
    for (secret, token, expected) in [
        ("wrong", TOKEN, "unknown"),
        (ADDRESS, "", "forbidden"),
        (ADDRESS, "short", "forbidden"),
        (ADDRESS, TOKEN, "look deal 7"),
        (ADDRESS, other.as_str(), "forbidden"),
        (ADDRESS, TOKEN, "look deal 7"),
    ] {
        assert_eq!(shown(source.read(secret, &message(token))), expected, "{token}");
    }
    assert_eq!(*kept.lock().expect("not poisoned"), [TOKEN]);
    // What cannot be kept is not believed: after a restart another one would be.
    let SourceParts { connection, slug, spec } = parts();
    let source = HintSource::new(connection, slug, spec, vec![Secret::new(ADDRESS)], Vec::new()).learning(|_| false);
    assert_eq!(shown(source.read(ADDRESS, &message(TOKEN))), "forbidden");
}

/// Compiled once: a manifest takes longer to read than a message.
static SOURCE: LazyLock<HintSource> = LazyLock::new(|| source(&[TOKEN]));

proptest! {
    /// Whatever comes: no panic, and nothing is named without the token.
    #[test]
    fn no_bytes_name_anything_without_the_token(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        let hinted = SOURCE.read(ADDRESS, &body);
        prop_assert_eq!(hinted, Hinted::Forbidden);
    }
}
