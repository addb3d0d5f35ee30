//! Notifications through a mail server that wants TLS and a login, as most do: a real Postfix with a
//! certificate of the company's own and one user.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use uzel::base::{Locale, Secret, Timestamp};
use uzel::config::{Email, MailTls};
use uzel::notify::{Channel, Mail, trial};

use super::daemon_support::until;
use super::notify::Postfix;
use super::tls::pair;

const LOGIN: &str = "uzel@x.test";
const PASSWORD: &str = "p4ssw0rd of mail";

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port()
}

/// The user in a database of Postfix's own. `false`: the program that makes it is not installed.
fn make_user(sasl: &Path) -> bool {
    let program = "/usr/sbin/saslpasswd2";
    if !Path::new(program).exists() {
        let required = std::env::var_os("UZEL_POSTFIX_REQUIRED").is_some();
        assert!(!required, "install sasl2-bin");
        eprintln!("no saslpasswd2 here: mail with a login was not tried");
        return false;
    }
    std::fs::create_dir(sasl).expect("a folder");
    let database = sasl.join("users");
    let mut made = Command::new(program)
        .args(["-p", "-c", "-u", "x.test", "-f", &database.display().to_string(), "uzel"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut input = made.stdin.take().expect("piped");
    std::io::Write::write_all(&mut input, PASSWORD.as_bytes()).expect("it listens");
    drop(input);
    assert!(made.wait().expect("it ends").success());
    let owned = Command::new("chown").arg("postfix").arg(&database).status();
    assert!(owned.expect("chown").success());
    let config = format!(
        "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\nsasldb_path: {}\n",
        database.display()
    );
    std::fs::write(sasl.join("smtpd.conf"), config).expect("it is written");
    true
}

/// A server that takes mail only after a login, and a login only within TLS; `port` begins in the
/// clear, `wrapped` speaks TLS from the first byte.
struct Server {
    postfix: Postfix,
    wrapped: u16,
    ca_file: PathBuf,
}

fn server(root: &Path) -> Option<Server> {
    let sasl = root.join("sasl");
    if !make_user(&sasl) {
        return None;
    }
    let (certificate, key) = pair(&["127.0.0.1"], (2020, 2090));
    let (ca_file, key_file) = (root.join("mail.pem"), root.join("mail.key"));
    std::fs::write(&ca_file, certificate).expect("it is written");
    std::fs::write(&key_file, key).expect("it is written");
    let wrapped = free_port();
    let postfix = Postfix::start_with(&|folder| {
        // Where Postfix of Debian looks for it.
        std::fs::create_dir(folder.join("etc/sasl")).expect("a folder");
        std::fs::copy(sasl.join("smtpd.conf"), folder.join("etc/sasl/smtpd.conf")).expect("it is copied");
        // The last word about a setting counts.
        let main = format!(
            "mynetworks =\nsmtpd_relay_restrictions = permit_sasl_authenticated, reject\n\
             smtpd_client_restrictions = permit_sasl_authenticated, reject\nsmtpd_tls_security_level = may\n\
             smtpd_tls_auth_only = yes\nsmtpd_tls_cert_file = {}\nsmtpd_tls_key_file = {}\n\
             smtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = cyrus\nsmtpd_sasl_path = smtpd\n\
             smtpd_sasl_local_domain = x.test\n\
             smtpd_sasl_authenticated_header = yes\nsmtpd_tls_received_header = yes\n",
            ca_file.display(),
            key_file.display()
        );
        let master = format!(
            "127.0.0.1:{wrapped} inet n - n - - smtpd\n  -o smtpd_tls_wrappermode=yes\n\
             tlsmgr unix - - n 1000? 1 tlsmgr\n"
        );
        (main, master)
    })?;
    Some(Server { postfix, wrapped, ca_file })
}

impl Server {
    fn settings(&self, tls: MailTls) -> Email {
        Email {
            host: "127.0.0.1".to_owned(),
            port: if tls == MailTls::Tls { self.wrapped } else { self.postfix.port },
            tls,
            login: LOGIN.to_owned(),
            from: "Узел <uzel@x.test>".to_owned(),
            to: vec!["admin@x.test".to_owned()],
            ca_file: Some(self.ca_file.clone()),
        }
    }

    /// Hands a letter over; else why it did not go.
    async fn send(&self, id: &str, settings: &Email, password: &str) -> Result<(), String> {
        let mail = Mail::new(settings, Some(&Secret::new(password))).map_err(|it| it.render(Locale::En))?;
        let letter = trial(format!("ntc_{id}"), "Ромашка", Locale::Ru, Timestamp(1_760_000_000_000));
        mail.send(&letter).await.map_err(|it| it.render(Locale::En))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_server_that_wants_tls_and_a_login_gets_both() {
    let root = tempfile::tempdir().expect("a folder");
    std::fs::set_permissions(root.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("ours");
    let Some(server) = server(root.path()) else { return };
    for (id, tls) in [("starttls", MailTls::StartTls), ("tls", MailTls::Tls)] {
        let sent = server.send(id, &server.settings(tls), PASSWORD).await;
        assert_eq!(sent, Ok(()), "{id}");
        let wanted = format!("Message-ID: <ntc_{id}@x.test>");
        let letters = || Some(server.postfix.letters()).filter(|it| it.iter().any(|text| text.contains(&wanted)));
        let letters = until("the letter lies in the mailbox", letters);
        // Postfix says how it was handed over.
        let letter = letters.iter().find(|it| it.contains(&wanted)).expect("it is there");
        assert!(letter.contains("using TLS") && letter.contains("Authenticated sender: uzel@x.test"), "{letter}");
    }
    // The password is another: that is said, the password is not.
    for tls in [MailTls::StartTls, MailTls::Tls] {
        let refused = server.send("wrong", &server.settings(tls), "an0ther").await.expect_err("it is refused");
        assert!(refused.contains("authentication failed") && !refused.contains("an0ther"), "{refused}");
    }
    // Nobody vouches for the certificate.
    let unknown = Email { ca_file: None, ..server.settings(MailTls::Tls) };
    let refused = server.send("unknown", &unknown, PASSWORD).await.expect_err("it is refused");
    assert!(refused.contains("certificate"), "{refused}");
    // Without a login this server takes nothing.
    let nobody = Email { login: String::new(), ..server.settings(MailTls::StartTls) };
    let refused = server.send("nobody", &nobody, PASSWORD).await.expect_err("it is refused");
    assert!(refused.contains("127.0.0.1"), "{refused}");
    // A file of an authority that is not there is named.
    let lost = Email { ca_file: Some(root.path().join("gone.pem")), ..server.settings(MailTls::Tls) };
    let refused = server.send("lost", &lost, PASSWORD).await.expect_err("it is refused");
    assert!(refused.contains("gone.pem"), "{refused}");
    assert_eq!(server.postfix.letters().len(), 2);
}
