//! Ways to people: a web address that verifies, refuses, delays and gets things twice; a real mail
//! server; and the program itself.

use std::collections::VecDeque;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use uzel::alarm::{Alarm, AlarmKey, Condition, Notice, Severity};
use uzel::auth::signature::{Scheme, verify};
use uzel::base::clock::SystemClock;
use uzel::base::{Clock as _, Locale, Message, Secret, Timestamp};
use uzel::config::{Email, MailTls};
use uzel::net::{Client, Guard};
use uzel::notify::{Channel, Mail, Webhook, letter, trial};

use super::daemon_support::{Place, run, until};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What a receiver got: id, whether the signature fits, body.
type Got = Arc<Mutex<Vec<(String, bool, String)>>>;

/// Answers in this order, then 204.
#[derive(Clone)]
struct Receiver {
    got: Got,
    answers: Arc<Mutex<VecDeque<u16>>>,
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let fits = verify(&Scheme::StandardWebhooks, &[Secret::new(SECRET)], &headers, &body, SystemClock.now());
    let id = headers.get("webhook-id").and_then(|it| it.to_str().ok()).unwrap_or_default().to_owned();
    let text = String::from_utf8_lossy(&body).into_owned();
    receiver.got.lock().expect("not poisoned").push((id, fits.is_ok(), text));
    let answer = receiver.answers.lock().expect("not poisoned").pop_front().unwrap_or(204);
    StatusCode::from_u16(answer).expect("a status")
}

/// A receiver on the loopback: its address, and what it got.
async fn receiver(answers: &[u16]) -> (String, Got) {
    let state = Receiver { got: Got::default(), answers: Arc::new(Mutex::new(answers.iter().copied().collect())) };
    let got = state.got.clone();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("it is bound");
    let router = axum::Router::new().fallback(receive).with_state(state);
    tokio::spawn(async move { axum::serve(listener, router).await });
    (format!("http://{address}/hook?key=s3cret"), got)
}

fn webhook(address: &str, guard: Guard) -> Webhook {
    let wire = Arc::new(Client::new(guard).expect("a client"));
    let made = Webhook::new(wire, Arc::new(SystemClock), Secret::new(address), vec![Secret::new(SECRET)]);
    made.unwrap_or_else(|reason| panic!("{reason}"))
}

fn notice() -> Notice {
    let key = AlarmKey { condition: Condition::SinkStopped, subject: "crm".into() };
    let text = |id| Message::new(id).with("sink", "crm");
    let alarm = Alarm {
        key,
        severity: Severity::Critical,
        since: Some(Timestamp(1_760_000_000_000)),
        what: text("alarm-sink-stopped"),
        // What a foreign system said may name a person.
        why: Some(Message::new("alarm-detail").with("detail", "Иван Петров, +7 912 345-67-81")),
        next: text("alarm-sink-stopped-next"),
    };
    let ended = vec![(Condition::Quarantine, "".into()), (Condition::SourceSilent, "site".into())];
    Notice { id: "ntc_1".to_owned(), raised: vec![alarm], lasting: Vec::new(), ended }
}

#[test]
fn a_letter_is_plain_words_and_names_nobody() {
    let local = |at: Timestamp| at.to_string();
    let at = Timestamp(1_760_000_100_000);
    let ru = letter(&notice(), "ООО «Ромашка»\r\nBcc: x@y.z", Locale::Ru, at, &local);
    assert_eq!(ru.subject, "Узел (ООО «Ромашка»Bcc: x@y.z): crm не отвечает, ничего не передаётся");
    expect_test::expect![[r#"
        Новое
          срочно: crm не отвечает, ничего не передаётся
            с 2025-10-09T08:53:20Z
            Проверьте, работает ли crm. Пробуем сами; ничего не потеряно: ждёт в очереди, uzel outbox list --sink crm

        Снова в порядке
          записи попадали в карантин
          молчало: site

        Подробности: uzel status
    "#]]
    .assert_eq(&ru.text);
    for locale in [Locale::Ru, Locale::En] {
        let letter = letter(&notice(), "x", locale, at, &local);
        let whole = format!("{} {} {}", letter.subject, letter.text, letter.data);
        assert!(!whole.contains("Петров") && !whole.contains("912"), "{whole}");
        assert!(!whole.contains("notify-"), "{whole}");
    }
    // Every condition can be told to have ended, in both languages.
    let ended = Condition::ALL.map(|it| (it, "x".into())).to_vec();
    let all = Notice { raised: Vec::new(), ended, ..notice() };
    for locale in [Locale::Ru, Locale::En] {
        let letter = letter(&all, "", locale, at, &local);
        assert!(!letter.text.contains("notify-") && !letter.subject.contains("notify-"), "{}", letter.text);
    }
}

#[tokio::test]
async fn a_receiver_verifies_refuses_and_gets_the_same_again() {
    let (address, got) = receiver(&[500, 302, 410, 200]).await;
    let webhook = webhook(&address, Guard::new(true, Vec::new()));
    let letter = letter(&notice(), "x", Locale::En, SystemClock.now(), &|at| at.to_string());
    let mut came = Vec::new();
    // The fifth is one too many: the sender was killed before it had noted the fourth.
    for _ in 0..5 {
        came.push(webhook.send(&letter).await.map_err(|reason| {
            assert!(!reason.to_string().contains("s3cret"), "{reason}");
            reason.id.to_string()
        }));
    }
    let failed = Err("notify-webhook-status".to_owned());
    assert_eq!(came, [failed.clone(), failed.clone(), failed, Ok(()), Ok(())]);
    let got = got.lock().expect("not poisoned").clone();
    assert_eq!(got.len(), 5);
    for (id, fits, body) in &got {
        assert!(*fits && id == "ntc_1", "{id}");
        let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(body["type"], "alarms");
        assert_eq!(body["data"]["raised"][0]["id"], "sink-stopped");
        assert_eq!(body["data"]["ended"][1]["subject"], "site");
    }
}

#[tokio::test]
async fn an_address_of_the_local_network_is_dialled_only_when_it_is_allowed() {
    let (address, got) = receiver(&[]).await;
    let letter = trial("ntc_2".to_owned(), "x", Locale::En, SystemClock.now());
    let refused = webhook(&address, Guard::new(false, Vec::new())).send(&letter).await;
    assert_eq!(refused.map_err(|it| it.id.to_string()), Err("net-https".to_owned()));
    assert!(got.lock().expect("not poisoned").is_empty());
    let secrets = Webhook::new(
        Arc::new(Client::new(Guard::default()).expect("a client")),
        Arc::new(SystemClock),
        Secret::new(address),
        Vec::new(),
    );
    assert_eq!(secrets.map(|_| ()).map_err(|it| it.id.to_string()), Err("notify-no-secret".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_sends_one_for_trial_and_says_what_came_of_it() {
    let (address, got) = receiver(&[]).await;
    let settings = format!(
        "locale = \"en\"\n[connection.site]\nconnector = \"forms\"\n\
         [notify.email]\nhost = \"127.0.0.1\"\nport = 9\ntls = \"none\"\nfrom = \"uzel@x.ru\"\nto = [\"admin@x.ru\"]\n\
         [notify.webhook]\nurl = \"{address}\"\nallow_private = true\n"
    );
    let place = Place::new(&settings, "");
    let said = place.run(&["notify", "test"]);
    assert_eq!(said.code, 3, "{said:?}");
    assert!(said.out.contains("uzel secret set notify.webhook_secret"), "{said:?}");
    let mut set = super::daemon_support::uzel(&["-d", &place.name(), "secret", "set", "notify.webhook_secret"]);
    let mut child = set.stdin(std::process::Stdio::piped()).spawn().expect("it starts");
    std::io::Write::write_all(&mut child.stdin.take().expect("piped"), SECRET.as_bytes()).expect("it reads");
    assert!(child.wait().expect("it ends").success());
    let said = place.run(&["notify", "test"]);
    assert!(said.out.contains("webhook: sent") && said.out.contains("email: not sent"), "{said:?}");
    assert!(!format!("{said:?}").contains("s3cret"), "{said:?}");
    {
        let got = got.lock().expect("not poisoned");
        assert!(got.len() == 1 && got[0].1 && got[0].2.contains("trial"), "{got:?}");
    }
    // Through a running daemon too.
    let daemon = place.start();
    assert!(place.run(&["notify", "test"]).out.contains("webhook: sent"));
    assert_eq!(daemon.stop(), Some(0));
    let nobody = Place::new("[connection.site]\nconnector = \"forms\"\n", "");
    let said = nobody.run(&["notify", "test"]);
    assert!(said.code == 1 && said.err.contains("nobody to notify"), "{said:?}");
}

#[test]
fn settings_that_cannot_be_right_are_named_with_their_line() {
    for (settings, expected) in [
        ("[notify.email]\nhost = \"h\"\nfrom = \"nobody\"\nto = [\"a@b.c\"]\n", "uzel.toml:3"),
        ("[notify.email]\nhost = \"h\"\nfrom = \"a@b.c\"\nto = [\"x\"]\n", "uzel.toml:4"),
        ("[notify.email]\nhost = \"h\"\nfrom = \"a@b.c\"\n", "who is written to"),
        (
            "[notify.email]\nhost = \"h\"\nfrom = \"a@b.c\"\nto = [\"a@b.c\"]\nlogin = \"x\"\ntls = \"none\"\n",
            "in the clear",
        ),
        ("[notify.webhook]\nurl = \"ftp://x\"\n", "is not an address"),
        ("[notify]\nlevel = \"loud\"\n", "uzel.toml:2"),
        ("[notify]\nlvel = \"notice\"\n", "level"),
        ("[heartbeat]\nurl = \"https://x.ru\"\nevery_s = 1\n", "every_s"),
        ("[connection.notify]\nconnector = \"forms\"\n", "is taken"),
        ("[connection.site]\nconnector = \"forms\"\nsilence_h = -1\n", "silence_h"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("uzel.toml"), settings).expect("it is written");
        let said = run(&["-d", &folder.path().display().to_string(), "--lang", "en", "lint"]);
        assert!(said.code == 3 && format!("{}{}", said.out, said.err).contains(expected), "{settings}: {said:?}");
    }
}

/// A Postfix of the system over a folder of its own; everything for `x.test` goes to one Maildir.
pub(crate) struct Postfix {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) port: u16,
}

impl Postfix {
    /// `None`: there is none here, or we may not start one.
    fn start() -> Option<Postfix> {
        Postfix::start_with(&|_| (String::new(), String::new()))
    }

    /// One that is set up further: what is added to `main.cf` and `master.cf`, given its folder.
    pub(crate) fn start_with(further: &dyn Fn(&Path) -> (String, String)) -> Option<Postfix> {
        let is_there = Path::new("/usr/sbin/postfix").exists() && rustix::process::geteuid().is_root();
        if !is_there {
            let required = std::env::var_os("UZEL_POSTFIX_REQUIRED").is_some();
            assert!(!required, "install postfix, and run as root");
            eprintln!("no postfix here: mail was not tried");
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        std::fs::set_permissions(root, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("ours");
        let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port();
        for name in ["etc", "queue", "data", "mail"] {
            std::fs::create_dir(root.join(name)).expect("a folder");
        }
        let shown = root.display();
        let chown =
            Command::new("chown").args(["postfix", &format!("{shown}/data"), &format!("{shown}/mail")]).status();
        assert!(chown.expect("chown").success());
        let ids = |flag: &str| {
            let out = Command::new("id").args([flag, "postfix"]).output().expect("id").stdout;
            String::from_utf8(out).expect("text").trim().to_owned()
        };
        let (uid, gid) = (ids("-u"), ids("-g"));
        let main = format!(
            "compatibility_level = 3.6\nqueue_directory = {shown}/queue\ndata_directory = {shown}/data\n\
             myhostname = mail.x.test\n\
             mydestination =\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmynetworks = 127.0.0.0/8\n\
             virtual_mailbox_domains = x.test\nvirtual_mailbox_base = {shown}/mail\n\
             virtual_mailbox_maps = static:all/\nvirtual_minimum_uid = 1\nvirtual_uid_maps = static:{uid}\n\
             virtual_gid_maps = static:{gid}\nalias_maps =\nalias_database =\nsmtpd_tls_security_level = none\n\
             smtpd_relay_restrictions = permit_mynetworks, reject\nsmtputf8_enable = no\n"
        );
        let (more_main, more_master) = further(root);
        let master = format!(
            "127.0.0.1:{port} inet n - n - - smtpd\npickup unix n - n 60 1 pickup\ncleanup unix n - n - 0 cleanup\n\
             qmgr unix n - n 300 1 qmgr\nrewrite unix - - n - - trivial-rewrite\nbounce unix - - n - 0 bounce\n\
             defer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\nflush unix n - n 1000? 0 flush\n\
             virtual unix - n n - - virtual\nanvil unix - - n - 1 anvil\nscache unix - - n - 1 scache\n\
             proxymap unix - - n - - proxymap\n"
        );
        std::fs::write(root.join("etc/main.cf"), main + &more_main).expect("written");
        std::fs::write(root.join("etc/master.cf"), master + &more_master).expect("written");
        let postfix = Postfix { folder, port };
        assert!(postfix.command("start"), "postfix starts");
        until("postfix listens", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
        Some(postfix)
    }

    fn command(&self, word: &str) -> bool {
        let etc = self.folder.path().join("etc");
        let ran = Command::new("/usr/sbin/postfix").arg("-c").arg(etc).arg(word).output().expect("postfix runs");
        if !ran.status.success() {
            eprintln!("{}", String::from_utf8_lossy(&ran.stderr));
        }
        ran.status.success()
    }

    /// The letters that lie in the Maildir.
    pub(crate) fn letters(&self) -> Vec<String> {
        let Ok(files) = std::fs::read_dir(self.folder.path().join("mail/all/new")) else { return Vec::new() };
        files.map(|it| std::fs::read_to_string(it.expect("a file").path()).expect("a letter")).collect()
    }
}

impl Drop for Postfix {
    /// `postfix abort` may wait for ever for its own log; the master ends its processes by itself.
    fn drop(&mut self) {
        let file = self.folder.path().join("queue/pid/master.pid");
        let id = std::fs::read_to_string(file).ok().and_then(|text| text.trim().parse().ok());
        if let Some(master) = id.and_then(rustix::process::Pid::from_raw) {
            let _gone_already = rustix::process::kill_process(master, rustix::process::Signal::TERM);
        }
    }
}

fn mail(port: u16, to: &[&str]) -> Mail {
    let settings = Email {
        host: "127.0.0.1".to_owned(),
        port,
        tls: MailTls::None,
        login: String::new(),
        from: "Узел <uzel@x.test>".to_owned(),
        to: to.iter().map(|it| (*it).to_owned()).collect(),
        ca_file: None,
    };
    Mail::new(&settings, None).unwrap_or_else(|reason| panic!("{reason}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_mail_server_takes_the_letter_and_its_refusal_is_said() {
    let Some(postfix) = Postfix::start() else { return };
    let letter = letter(&notice(), "ООО «Ромашка»", Locale::Ru, SystemClock.now(), &|at| at.to_string());
    let channel = mail(postfix.port, &["Админ <admin@x.test>", "second@x.test"]);
    let sent = tokio::time::timeout(Duration::from_secs(60), channel.send(&letter)).await.expect("it ends");
    assert_eq!(sent.map_err(|it| it.to_string()), Ok(()));
    let letters = until("both letters lie in the mailbox", || Some(postfix.letters()).filter(|it| it.len() == 2));
    for text in &letters {
        assert!(text.contains("Message-ID: <ntc_1@x.test>"), "{text}");
        assert!(text.contains("Auto-Submitted: auto-generated"), "{text}");
        assert!(text.contains("Subject: =?utf-8?"), "{text}");
        assert!(text.contains("Content-Type: text/plain; charset=utf-8"), "{text}");
    }
    // To where this server does not carry mail.
    let refused = mail(postfix.port, &["a@elsewhere.test", "admin@nowhere.invalid"]);
    let strangers = refused.send(&letter).await;
    // The loopback may relay: the server takes it then, and it is not ours to know what becomes of it.
    if let Err(reason) = strangers {
        assert_eq!(reason.id, "notify-mail");
    }
    let port = postfix.port;
    drop(postfix);
    let gone = mail(port, &["admin@x.test"]).send(&letter).await;
    assert_eq!(gone.map_err(|it| it.id.to_string()), Err("notify-mail".to_owned()));
}
