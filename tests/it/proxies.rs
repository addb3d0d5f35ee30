//! Web servers in front: the snippets of the guide, as they stand there, before a daemon that runs.
//! Without the programs (Debian: `nginx-light`, `caddy`) these are skipped; `.ci/run` installs them.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::acme::{Program, free_port, program};
use super::daemon_support::{Daemon, Place, until};
use super::tls::{client, pair};

const GUIDES: [&str; 2] = [include_str!("../../docs/ru/publish.md"), include_str!("../../docs/en/publish.md")];
const NAME: &str = "in.company.ru";

/// The block of a guide in this language of settings.
fn snippet(guide: &str, language: &str) -> String {
    let (_, rest) = guide.split_once(&format!("```{language}\n")).expect("the guide has it");
    rest.split_once("\n```").expect("it ends").0.to_owned()
}

/// Replaces a text that must be there.
fn put(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from} is not in {text}");
    text.replace(from, to)
}

/// A daemon that allows one address three requests, and believes this machine about addresses.
fn place() -> Place {
    Place::new(
        "locale = \"en\"\n[listen]\ntrusted_proxies = [\"127.0.0.1\"]\naddress_per_minute = 1\naddress_burst = 3\n\
         [connection.site]\nconnector = \"forms\"\n[connection.1c]\nconnector = \"commerceml\"\n",
        "",
    )
}

struct Front {
    client: reqwest::Client,
    base: String,
    port: u16,
    certificate: String,
    _program: Program,
    log: std::path::PathBuf,
}

fn front(folder: &Path, certificate: String, port: u16, command: &mut Command) -> Option<Front> {
    let log = folder.join("front.log");
    let program = program(command, &log)?;
    until("the web server listens", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let client = client(&certificate, NAME, address);
    Some(Front { client, base: format!("https://{NAME}:{port}"), port, certificate, _program: program, log })
}

fn nginx(folder: &Path, guide: &str, daemon: &Daemon) -> Option<Front> {
    let (certificate, port) = (certificate(folder), free_port());
    let text = snippet(guide, "nginx");
    let text = put(&text, "listen 443 ssl", &format!("listen 127.0.0.1:{port} ssl"));
    let text = put(&text, "http://127.0.0.1:8690", &format!("http://{}", daemon.address));
    let text = put(&text, "/etc/ssl/in.company.ru/fullchain.pem", &folder.join("site.pem").display().to_string());
    let text = put(&text, "/etc/ssl/in.company.ru/privkey.pem", &folder.join("site.key").display().to_string());
    let paths: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|it| format!("{it}_temp_path {};\n", folder.join(it).display()))
        .concat();
    let whole = format!(
        "daemon off;\nmaster_process off;\npid {0}/nginx.pid;\nerror_log stderr;\nevents {{}}\n\
         http {{\naccess_log off;\n{paths}{text}\n}}\n",
        folder.display()
    );
    let file = folder.join("nginx.conf");
    fs::write(&file, whole).expect("settings are written");
    let binary = if Path::new("/usr/sbin/nginx").exists() { "/usr/sbin/nginx" } else { "nginx" };
    let file = file.display().to_string();
    front(folder, certificate, port, Command::new(binary).args(["-c", &file, "-e", "stderr"]))
}

fn caddy(folder: &Path, guide: &str, daemon: &Daemon) -> Option<Front> {
    let (certificate, port) = (certificate(folder), free_port());
    let text = snippet(guide, "caddy");
    // Its own authority needs the internet: here it is given a certificate.
    let files = format!("tls {0}/site.pem {0}/site.key", folder.display());
    let text =
        put(&text, "in.company.ru {", &format!("https://in.company.ru:{port} {{\n    bind 127.0.0.1\n    {files}"));
    let text = put(&text, "127.0.0.1:8690", &daemon.address);
    let file = folder.join("Caddyfile");
    fs::write(&file, format!("{{\n    admin off\n    auto_https off\n}}\n{text}\n")).expect("settings are written");
    let file = file.display().to_string();
    let mut command = Command::new("caddy");
    command.args(["run", "--adapter", "caddyfile", "--config", &file]);
    front(folder, certificate, port, command.env("XDG_DATA_HOME", folder).env("XDG_CONFIG_HOME", folder))
}

fn certificate(folder: &Path) -> String {
    let (certificate, key) = pair(&[NAME], (2020, 2090));
    fs::write(folder.join("site.pem"), &certificate).expect("it is written");
    fs::write(folder.join("site.key"), key).expect("it is written");
    certificate
}

impl Front {
    /// Posts from an address of this machine, with a header that the sender makes up.
    async fn post(&self, path: &str, from: [u8; 4], made_up: &str, body: Vec<u8>) -> u16 {
        super::tls::provider();
        let root = reqwest::Certificate::from_pem(self.certificate.as_bytes()).expect("a certificate");
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([root]).resolve(NAME, address);
        let client = client.local_address(std::net::IpAddr::from(from)).build().expect("a client");
        let request = client.post(format!("{}{path}", self.base)).header("x-forwarded-for", made_up);
        let request = request.header("forwarded", format!("for={made_up}")).body(body);
        let answer = request.send().await;
        let log = || fs::read_to_string(&self.log).unwrap_or_default();
        let status = answer.unwrap_or_else(|error| panic!("{error:?}\n{}", log())).status().as_u16();
        assert_ne!(status, 502, "{}", log());
        status
    }

    /// What the guide promises of any web server.
    async fn keeps_what_the_guide_promises(&self, place: &Place, daemon: &Daemon) {
        let form = format!("/{}", daemon.site.splitn(4, '/').last().expect("a path"));
        let body = |number: u32| format!("phone=%2B7912345{number:04}").into_bytes();
        // Three requests of one sender, whatever he says of himself; then he waits.
        for number in 0..3_u8 {
            let status = self.post(&form, [127, 0, 0, 2], &format!("6.6.6.{number}"), body(number.into())).await;
            assert_eq!(status, 200, "{number}");
        }
        assert_eq!(
            self.post(&form, [127, 0, 0, 2], "6.6.6.9", body(3)).await,
            429,
            "the made-up address counts for nothing"
        );
        // Another sender has an allowance of his own.
        assert_eq!(self.post(&form, [127, 0, 0, 3], "127.0.0.2", body(4)).await, 200);

        // A chunk of 1C, larger than what web servers take by themselves.
        for exchange in ["/exchange/1c", "/bitrix/admin/1c_exchange.php"] {
            let address = |mode: &str| format!("{}{exchange}?type=sale&mode={mode}", self.base);
            let asked = self.client.get(address("checkauth")).basic_auth("uzel", Some(&place.password)).send().await;
            let said = asked.expect("an answer").text().await.expect("text");
            let lines: Vec<&str> = said.lines().collect();
            assert_eq!(lines[0], "success", "{said}");
            let cookie = format!("{}={}", lines[1], lines[2]);
            let begun = self.client.get(address("init")).header("cookie", &cookie).send().await.expect("an answer");
            assert_eq!(begun.status(), 200);
            let chunk = vec![b'x'; 30 << 20];
            let sent = self.client.post(address("file&filename=big.xml")).header("cookie", &cookie).body(chunk);
            let said = sent.send().await.expect("an answer").text().await.expect("text");
            assert!(said.starts_with("success"), "{exchange}: {said}");
        }
        // Numbers of the process are not for the world, though the web server stands on this machine.
        let metrics = self.client.get(format!("{}/metrics", self.base)).send().await.expect("an answer");
        assert_eq!(metrics.status(), 404);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nginx_as_the_guide_has_it() {
    for guide in GUIDES {
        let place = place();
        let daemon = place.start();
        let folder = tempfile::tempdir().expect("a folder");
        let Some(front) = nginx(folder.path(), guide, &daemon) else { return };
        front.keeps_what_the_guide_promises(&place, &daemon).await;
        let form = format!("/{}", daemon.site.splitn(4, '/').last().expect("a path"));
        assert_eq!(front.post(&form, [127, 0, 0, 9], "6.6.6.6", vec![b'x'; 65 << 20]).await, 413);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn caddy_as_the_guide_has_it() {
    for guide in GUIDES {
        let place = place();
        let daemon = place.start();
        let folder = tempfile::tempdir().expect("a folder");
        let Some(front) = caddy(folder.path(), guide, &daemon) else { return };
        front.keeps_what_the_guide_promises(&place, &daemon).await;
    }
}
