//! The `uzel.toml` that `uzel init` writes: every setting with its default, explained.

use crate::base::Locale;

/// What is known of a company before it has an `uzel.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSettings {
    /// Language of the comments, and of explanations in the CRM.
    pub locale: Locale,
    /// The company's name; may be empty.
    pub company: String,
    /// The company's zone.
    pub zone: String,
    /// INNs of its own legal entities.
    pub own_inns: Vec<String>,
    /// How the world reaches it; empty: not yet.
    pub public_url: String,
    /// Connections to write.
    pub connections: Vec<NewConnection>,
}

/// A connection to write into `uzel.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewConnection {
    /// Its name.
    pub name: String,
    /// Its connector.
    pub connector: String,
    /// Lines of settings, and comments.
    pub lines: Vec<String>,
}

impl NewConnection {
    /// A connection with these lines.
    pub fn new(name: &str, connector: &str, lines: &[&str]) -> NewConnection {
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        NewConnection { name: name.to_owned(), connector: connector.to_owned(), lines }
    }

    /// Its section, an empty line before it.
    pub fn section(&self) -> String {
        let mut text = format!("\n[connection.{}]\nconnector = {}\n", self.name, quoted(&self.connector));
        for line in &self.lines {
            text.push_str(line);
            text.push('\n');
        }
        text
    }
}

/// A commented `uzel.toml` in the reader's language.
pub fn template(new: &NewSettings) -> String {
    let (head, tail) = match new.locale {
        Locale::Ru => (RU, RU_CONNECTIONS),
        Locale::En => (EN, EN_CONNECTIONS),
    };
    let inns: Vec<String> = new.own_inns.iter().map(|inn| quoted(inn)).collect();
    let public_url = match new.public_url.as_str() {
        "" => "# public_url = \"https://in.company.ru\"".to_owned(),
        url => format!("public_url = {}", quoted(url)),
    };
    let mut text = String::new();
    for line in head.lines() {
        text.push_str(&match line {
            "name = {company}" => format!("name = {}", quoted(&new.company)),
            "zone = {zone}" => format!("zone = {}", quoted(&new.zone)),
            "own_inns = {own_inns}" => format!("own_inns = [{}]", inns.join(", ")),
            "{public_url}" => public_url.clone(),
            other => other.to_owned(),
        });
        text.push('\n');
    }
    text.push_str(tail);
    new.connections.iter().for_each(|connection| text.push_str(&connection.section()));
    text
}

/// A TOML string.
pub(crate) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

const RU: &str = r#"# Настройки Узла. Секретов здесь нет: они в хранилище (vault.json) или в переменных
# UZEL_SECRET_<ПОДКЛЮЧЕНИЕ>_<НАСТРОЙКА>. Проверка: uzel lint

# Язык пояснений, которые попадают в CRM: ru или en.
locale = "ru"

[company]
name = {company}
# Часовой пояс: по нему считаются календарные дни, и в нём читаются даты без пояса.
zone = {zone}
# Страна телефонов без кода и валюта сумм без валюты.
region = "RU"
currency = "RUB"
# ИНН своих организаций: сделки с ними записываются, но не считаются.
own_inns = {own_inns}

[listen]
# Где принимать формы и обмен с 1С. Наружу ставьте веб-сервер с HTTPS и передавайте запросы сюда.
address = "127.0.0.1:8690"
# HTTPS без веб-сервера ([listen.acme], [listen.tls]): docs/ru/publish.md.
# Как нас видно снаружи: показывается в адресах форм.
{public_url}
# Адреса веб-серверов, которым можно верить в том, кто отправитель.
trusted_proxies = []
# Запросов в минуту: к одному источнику (0 — без предела), с одного адреса, и сколько сразу.
source_per_minute = 0
address_per_minute = 600
address_burst = 120

[limits]
# Свободное место, МиБ: меньше — приём приостанавливается, отправители повторят.
free_space_mib = 512
# Память под данные, МиБ.
cache_mib = 24

[keep]
# Снимок данных: минута, час, день, месяц, день недели (MON..SUN) по времени компании; "" — не делать.
snapshot = "0 3 * * *"
# Сколько снимков хранить.
snapshots = 3
# За сколько дней хранить журнал полученного; 0 — весь. Нужное для работы не удаляется.
journal_days = 0
# Если последней резервной копии больше стольких дней — предупредить; 0 — не следить.
backup_days = 0

# Кому сообщать, что не в порядке (проверить: uzel notify test). Секреты — uzel secret set:
# notify.password, notify.webhook_secret, notify.webhook_url.
# [notify.email]
# host = "smtp.company.ru"
# tls = "starttls"            # или "tls"; "none" — только на этой же машине
# login = "uzel@company.ru"
# from = "uzel@company.ru"
# to = ["admin@company.ru"]
# [notify.webhook]
# url = "https://chat.company.ru/hook"
# Служба наблюдения, которая поднимет тревогу, когда сигнала нет.
# [heartbeat]
# url = "https://hc-ping.com/..."
# every_s = 60

# Реле на общедоступной машине принимает формы и вебхуки за Узел, который из интернета не виден.
# [relay]
# address = "https://in.company.ru"
"#;

const RU_CONNECTIONS: &str = r#"
# Подключения: [connection.<имя>], имя — латиницей. Что настраивается, см. connectors/<имя>/setup.md.
# mode = "observe" — читать и планировать, ничего не записывая; "live" — записывать.
"#;

const EN: &str = r#"# Settings of Uzel. No secrets here: they are in the vault (vault.json) or in the variables
# UZEL_SECRET_<CONNECTION>_<SETTING>. To check: uzel lint

# Language of explanations that go to the CRM: ru or en.
locale = "en"

[company]
name = {company}
# Zone: calendar days are counted in it, and dates without a zone are read in it.
zone = {zone}
# Country of telephone numbers without a code, and currency of sums without one.
region = "RU"
currency = "RUB"
# INNs of your own legal entities: deals with them are logged and not counted.
own_inns = {own_inns}

[listen]
# Where forms and the exchange with 1C are taken. Put a web server with HTTPS in front.
address = "127.0.0.1:8690"
# HTTPS without a web server ([listen.acme], [listen.tls]): docs/en/publish.md.
# How we are seen from outside: shown in the addresses of forms.
{public_url}
# Addresses of web servers that may be believed about who the sender is.
trusted_proxies = []
# Requests a minute: to one source (0: no limit), from one address, and how many at once.
source_per_minute = 0
address_per_minute = 600
address_burst = 120

[limits]
# Free space, MiB: below it intake pauses, and senders try again.
free_space_mib = 512
# Memory for data, MiB.
cache_mib = 24

[keep]
# Snapshot of the data: minute, hour, day, month, weekday (MON..SUN) in the company's zone; "": none.
snapshot = "0 3 * * *"
# Snapshots kept.
snapshots = 3
# Days that the journal goes back; 0: all of it. What is still needed is never removed.
journal_days = 0
# Warn when the newest backup is older than so many days; 0: do not watch.
backup_days = 0

# Who is told what is wrong (to try: uzel notify test). Secrets by uzel secret set:
# notify.password, notify.webhook_secret, notify.webhook_url.
# [notify.email]
# host = "smtp.company.ru"
# tls = "starttls"            # or "tls"; "none" only on this very machine
# login = "uzel@company.ru"
# from = "uzel@company.ru"
# to = ["admin@company.ru"]
# [notify.webhook]
# url = "https://chat.company.ru/hook"
# A watch service that raises the alarm when no beat comes.
# [heartbeat]
# url = "https://hc-ping.com/..."
# every_s = 60

# A relay on a public host takes forms and webhooks for an Uzel that the internet cannot reach.
# [relay]
# address = "https://in.company.ru"
"#;

const EN_CONNECTIONS: &str = r#"
# Connections: [connection.<name>]. What can be set is in connectors/<name>/setup.md.
# mode = "observe": read and plan, write nothing; "live": write.
"#;

#[cfg(test)]
mod tests {
    use super::super::{Mode, Settings};
    use super::*;

    #[test]
    fn the_template_reads_in_both_languages_and_says_the_defaults() {
        for locale in [Locale::Ru, Locale::En] {
            let text = template(&NewSettings {
                locale,
                company: String::new(),
                zone: "Asia/Yekaterinburg".to_owned(),
                own_inns: Vec::new(),
                public_url: String::new(),
                connections: vec![NewConnection::new("site", "forms", &["mode = \"live\""])],
            });
            let read = Settings::compile("uzel.toml", &text, &|_| None).expect("the template is right");
            let bare = "[company]\nzone = \"Asia/Yekaterinburg\"\n[connection.site]\nconnector = \"forms\"\n";
            let defaults = Settings::compile("uzel.toml", bare, &|_| None).expect("defaults are right");
            assert_eq!(
                (&read.company, &read.listen, read.limits, &read.keep),
                (&defaults.company, &defaults.listen, defaults.limits, &defaults.keep)
            );
            assert_eq!(read.locale, locale);
            assert_eq!(read.connections[0].mode, Mode::Live);
        }
    }

    #[test]
    fn what_a_person_answered_stands_in_it_whatever_it_holds() {
        let new = NewSettings {
            locale: Locale::Ru,
            company: "ООО \"Ромашка\\\" {zone}\n".to_owned(),
            zone: "Europe/Samara".to_owned(),
            own_inns: vec!["7707083893".to_owned(), "500100732259".to_owned()],
            public_url: "https://in.company.ru".to_owned(),
            connections: Vec::new(),
        };
        let read = Settings::compile("uzel.toml", &template(&new), &|_| None).expect("it reads");
        assert_eq!((&read.company.name, &read.company.zone_name), (&new.company, &new.zone));
        assert_eq!((&read.company.own_inns, &read.listen.public_url), (&new.own_inns, &new.public_url));
    }
}
