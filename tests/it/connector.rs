//! Manifests: the built-in ones compile, wrong ones say all that is wrong, with lines.

use uzel::base::{Locale, Slug};
use uzel::connector::{
    After, Auth, ClientSort, Connector, Create, FindBy, ObjectKind, Scope, SinkSpec, Then, Transport,
};

const BITRIX24: &str = include_str!("../../connectors/bitrix24/connector.toml");

fn compile(text: &str) -> Result<Connector, Vec<String>> {
    let compiled = Connector::compile(Slug::literal("some"), "connectors/some/connector.toml", text);
    compiled.map_err(|problems| {
        let line = |it: &uzel::base::Problem| it.render(Locale::En).replace("connectors/some/connector.toml:", "");
        problems.iter().map(line).collect()
    })
}

fn bitrix24() -> SinkSpec {
    let connector = compile(BITRIX24).unwrap_or_else(|problems| panic!("{problems:#?}"));
    connector.sink.expect("Bitrix24 has a sink")
}

#[test]
fn bitrix24_declares_its_objects_in_the_order_in_which_they_need_each_other() {
    let sink = bitrix24();
    let kinds: Vec<&str> = sink.objects.iter().map(|it| &*it.kind).collect();
    assert_eq!(kinds, ["company", "contact", "deal", "activity", "comment"]);
    assert_eq!(sink.auth, Auth::PathSecret);
    let kind = |of, client| sink.kind_of(of, client).map(|it| it.kind.to_string());
    assert_eq!(kind(ObjectKind::Client, Some(ClientSort::Person)).as_deref(), Some("contact"));
    assert_eq!(kind(ObjectKind::Client, Some(ClientSort::Company)).as_deref(), Some("company"));
    assert_eq!(kind(ObjectKind::Deal, None).as_deref(), Some("deal"));
    assert_eq!(kind(ObjectKind::Interaction, None).as_deref(), Some("comment"));
    assert_eq!(kind(ObjectKind::Task, None).as_deref(), Some("activity"));
    for object in &sink.objects {
        assert_eq!(object.create_kind, Create::Findable, "{}", object.kind);
        assert_eq!(object.find[0].by, FindBy::Origin, "our own mark is looked for first: {}", object.kind);
    }
}

#[test]
fn bitrix24_stops_the_whole_sink_when_its_bucket_is_full_and_one_method_when_its_time_is_spent() {
    let sink = bitrix24();
    let then = |code: &str| {
        let rule = sink.rules.iter().find(|it| it.code.iter().any(|known| known == code));
        rule.map(|it| it.then.clone()).unwrap_or_else(|| panic!("no rule for {code}"))
    };
    assert_eq!(then("QUERY_LIMIT_EXCEEDED"), Then::Retry { after: After::Ms(1_000), scope: Scope::Sink });
    let Then::Retry { scope: Scope::Method, after: After::Path(..) } = then("OPERATION_TIME_LIMIT") else {
        panic!("the method waits until the answer's reset")
    };
    assert_eq!(then("ACCESS_DENIED"), Then::RejectConnection);
    assert_eq!(then("INTERNAL_SERVER_ERROR"), Then::Uncertain);
}

#[test]
fn a_source_is_read() {
    let text = r#"
title_ru = "Формы"
title_en = "Forms"
[source]
transport = "webhook"
answer = "ok"
test = { field = "test", value = "test" }
honeypot = ["form-spec-comments"]
[[source.stream]]
name = "lead"
idempotency = ["tranid", "payment.orderid"]
window_s = 600
fold_names = true
drop = ["smart-token"]
"#;
    let connector = compile(text).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let source = connector.source.expect("it has a source");
    assert_eq!(source.transport, Transport::Webhook);
    assert_eq!(source.test.expect("it has a test").value, "test");
    assert_eq!(source.honeypot.expect("it has a honeypot").fields, ["form-spec-comments"]);
    let stream = &source.streams[0];
    assert_eq!((&*stream.name, stream.window_s, stream.remember_days, stream.fold_names), ("lead", 600, 8, true));
    assert_eq!(stream.idempotency.iter().map(ToString::to_string).collect::<Vec<_>>(), ["tranid", "payment.orderid"]);
    assert!(connector.sink.is_none());
}

/// Every wrong line of a manifest comes out at once, each with its line.
#[test]
fn all_problems_of_a_manifest_come_out_at_once() {
    let text = r#"title_ru = "Система"
titel_en = "System"

[[setting]]
name = "token"
kind = "texst"
help_ru = "Ключ"
help_en = "Key"
example = "abc"

[sink]
address = "addres"
auth = "bearer"
quota = { requests = 0, per_ms = 1000, burst = 1 }

[[sink.rule]]
status = [99]
then = "retrry"

[[sink.object]]
kind = "contact"
of = "client"
mapping = "contact"
create_kind = "findable"
multi = { PHONE = "digits" }
create = { path = "contacts/{idd}", body = { fields = "$feilds" }, id = "result..id" }
update = { path = "contacts/{id}", body = "$fields" }
"#;
    let problems = compile(text).expect_err("it is full of mistakes");
    for expected in [
        "1: \"title_en\" is missing",
        "2: \"titel_en\" is not known here; did you mean \"title_en\"?",
        "6: \"kind\" cannot be \"texst\"; did you mean \"text",
        "12: no setting is called \"addres\"",
        "11: \"auth_setting\" is missing",
        "14: \"requests\" is 0; it must be between 1 and 10000",
        "17: a status is a number from 100 to 599",
        "18: \"then\" cannot be \"retrry\"; did you mean \"retry\"?",
        "24: the object is said to be findable",
        "25: fields with several values",
        "26: \"$idd\" cannot stand here; did you mean \"$id\"?",
        "26: \"$feilds\" cannot stand here; did you mean \"$fields\"?",
    ] {
        assert!(problems.iter().any(|it| it.starts_with(expected)), "{expected}\nnot in {problems:#?}");
    }
    assert!(problems.iter().any(|it| it.starts_with("26: ") && it.contains("path")), "{problems:#?}");
}

#[test]
fn a_sink_without_objects_or_with_an_unknown_strategy_is_refused() {
    let text =
        "title_ru = \"С\"\ntitle_en = \"S\"\n[sink]\naddress = \"url\"\nauth = \"oauth\"\nbatch = \"bitrix42\"\n";
    let problems = compile(text).expect_err("it is wrong");
    for expected in ["3: \"object\" is missing", "4: no setting", "5: \"auth\" cannot be", "6: \"batch\" cannot be"] {
        assert!(problems.iter().any(|it| it.starts_with(expected)), "{expected}\nnot in {problems:#?}");
    }
}

#[test]
fn braces_in_messages_are_shown_as_they_are() {
    let text = BITRIX24.replacen("path = \"crm.requisite.list\"", "path = \"deals/{id\"", 1);
    let problems = compile(&text).expect_err("a brace is open");
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert!(problems[0].ends_with("the path \"deals/{id\" has a \"{\" without its \"}\". Close it."), "{problems:#?}");
}
