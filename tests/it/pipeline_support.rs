//! A journal, a store and configurations in memory, fed as the daemon feeds them: each entry is
//! applied at once by a live store, and what reconcilers would append is appended.

use std::collections::HashMap;
use std::future::Future as _;
use std::pin::pin;
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll, Waker};

use serde_json::{Value as Json, json};
use uzel::base::checksum::Fingerprint;
use uzel::base::{ItemRef, Message, Position, Slug, Timestamp};
use uzel::catalog::{Catalog, FileSet};
use uzel::config::Settings;
use uzel::entry::{Body, Command, Commanded, Configured, Entry, Received, Ticked};
use uzel::journal::{Journal, MemoryJournal, NewEntry};
use uzel::pipeline::{Configurations, PipelineError, apply_all};
use uzel::store::{MemoryStore, Store};
use uzel::tables::{Reader, rows_hash};
use uzel::task::admit::{self, Admitted};

/// Monday, 3 March 2025, noon in Moscow.
pub(crate) const START: Timestamp = Timestamp(1_740_992_400_000);
pub(crate) const MINUTE_MS: i64 = 60_000;
pub(crate) const DAY_MS: i64 = 86_400_000;

pub(crate) const SETTINGS: &str = "locale = \"ru\"\n[company]\nname = \"Ромашка\"\nown_inns = [\"7707083893\"]\n\
    [connection.site]\nconnector = \"forms\"\n[connection.1c]\nconnector = \"commerceml\"\n\
    [connection.bitrix24]\nconnector = \"bitrix24\"\nmode = \"live\"\n";

/// Built-ins with some files replaced.
pub(crate) fn catalog(replaced: &[(&str, &str)]) -> Arc<Catalog> {
    catalog_of(SETTINGS, replaced)
}

/// The same under other settings.
pub(crate) fn catalog_of(settings: &str, replaced: &[(&str, &str)]) -> Arc<Catalog> {
    let settings = Settings::compile("uzel.toml", settings, &|_| None).expect("the settings read");
    let mut files = FileSet::builtin();
    for (name, text) in replaced {
        files.put(name, (*text).to_owned());
    }
    Arc::new(Catalog::compile(&files, &settings).unwrap_or_else(|problems| panic!("{problems:#?}")))
}

/// The built-in configuration.
pub(crate) fn plain() -> Arc<Catalog> {
    static PLAIN: OnceLock<Arc<Catalog>> = OnceLock::new();
    PLAIN.get_or_init(|| catalog(&[])).clone()
}

/// Built-ins with a part of a rules file changed.
pub(crate) fn changed(file: &str, from: &str, to: &str) -> Arc<Catalog> {
    let text = FileSet::builtin().get(file).expect("a built-in file").to_owned();
    assert!(text.contains(from), "{file} has no {from:?}");
    catalog(&[(file, &text.replace(from, to))])
}

/// Configurations as the folder keeps them: compiled again from their bytes.
#[derive(Default)]
pub(crate) struct Kept(Mutex<HashMap<Fingerprint, Arc<Catalog>>>);

impl Kept {
    pub(crate) fn keep(&self, catalog: &Arc<Catalog>) {
        static AGAIN: OnceLock<Mutex<HashMap<Fingerprint, Arc<Catalog>>>> = OnceLock::new();
        let mut again = AGAIN.get_or_init(Mutex::default).lock().expect("not poisoned");
        let compiled = again.entry(catalog.hash()).or_insert_with(|| {
            Arc::new(Catalog::from_bytes(&catalog.to_bytes()).unwrap_or_else(|problems| panic!("{problems:#?}")))
        });
        self.0.lock().expect("not poisoned").insert(catalog.hash(), compiled.clone());
    }
}

impl Configurations for Kept {
    fn load(&self, hash: Fingerprint) -> Result<Arc<Catalog>, Message> {
        let kept = self.0.lock().expect("not poisoned");
        kept.get(&hash).cloned().ok_or_else(|| Message::new("pipeline-no-configuration"))
    }
}

/// A company's journal and its store.
pub(crate) struct World {
    pub(crate) journal: Arc<MemoryJournal>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) kept: Arc<Kept>,
    /// What the clock shows.
    pub(crate) now: Timestamp,
    admitted: Admitted,
}

impl World {
    /// Under the built-in configuration.
    pub(crate) fn new() -> World {
        World::under(&plain())
    }

    pub(crate) fn under(catalog: &Arc<Catalog>) -> World {
        let mut world = World {
            journal: Arc::new(MemoryJournal::new()),
            store: Arc::new(MemoryStore::new()),
            kept: Arc::new(Kept::default()),
            now: START,
            admitted: Admitted::default(),
        };
        world.configure(catalog);
        world
    }

    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader::new(self.store.as_ref())
    }

    /// Time passes.
    pub(crate) fn pass(&mut self, ms: i64) -> &mut World {
        self.now = self.now.plus_ms(ms);
        self
    }

    /// Appends an entry and applies everything, with the slices that it asks for.
    pub(crate) fn append(&mut self, entry: &Entry) -> Position {
        let position = self.append_only(entry);
        self.apply();
        // Bound: an import and a rescoring end.
        loop {
            let slices = admit::next(&Reader::new(self.store.as_ref()), &mut self.admitted).expect("the store reads");
            if slices.is_empty() {
                return position;
            }
            for slice in slices {
                self.append_only(&Entry::Slice(slice));
            }
            self.apply();
        }
    }

    /// Appends an entry that waits to be applied.
    pub(crate) fn append_only(&mut self, entry: &Entry) -> Position {
        let new = NewEntry { kind: entry.kind(), at: self.now, payload: entry.encode() };
        let mut appended = pin!(self.journal.append(new));
        match appended.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(position) => position.expect("the journal takes everything"),
            Poll::Pending => unreachable!("a journal in memory answers at once"),
        }
    }

    fn apply(&self) {
        self.apply_to(&self.store, 512).expect("it applies");
    }

    /// Brings a store up to the head, in micro-batches of at most `batch_max` entries.
    pub(crate) fn apply_to(&self, store: &Arc<dyn Store>, batch_max: usize) -> Result<u64, PipelineError> {
        self.apply_up_to(self.journal.head(), store, batch_max)
    }

    pub(crate) fn apply_up_to(
        &self,
        head: Position,
        store: &Arc<dyn Store>,
        batch_max: usize,
    ) -> Result<u64, PipelineError> {
        let (journal, kept) = (self.journal.clone(), self.kept.clone());
        apply_all(journal, store.clone(), kept, head, batch_max, &mut |_, _| {})
    }

    /// The hash of a store built anew.
    pub(crate) fn rebuilt(&self, batch_max: usize) -> Fingerprint {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        self.apply_to(&store, batch_max).expect("it rebuilds");
        hash(&store)
    }

    pub(crate) fn configure(&mut self, catalog: &Arc<Catalog>) -> Position {
        self.kept.keep(catalog);
        self.append(&Entry::Configured(Configured { hash: catalog.hash(), build: "test".into() }))
    }

    pub(crate) fn command(&mut self, command: Command) -> Position {
        let at = self.now;
        self.append(&Entry::Commanded(Commanded { at, by: "cli".into(), command }))
    }

    pub(crate) fn tick(&mut self) -> Position {
        let at = self.now;
        self.append(&Entry::Ticked(Ticked { at }))
    }

    /// A form of the site comes, its key being its content and the second.
    pub(crate) fn form(&mut self, fields: Json) -> Position {
        let envelope = form_at(self.now, &fields);
        self.append(&Entry::Received(envelope))
    }

    /// A file of 1C with these documents comes.
    pub(crate) fn orders(&mut self, orders: &[Order<'_>]) -> Position {
        let envelope = orders_at(self.now, orders);
        self.append(&Entry::Received(envelope))
    }
}

pub(crate) fn hash(store: &Arc<dyn Store>) -> Fingerprint {
    rows_hash(store.as_ref(), |_| {}).expect("the rows read")
}

/// A form as the source would have journalled it.
pub(crate) fn form_at(at: Timestamp, fields: &Json) -> Received {
    let body = fields.to_string().into_bytes();
    Received {
        connection: Slug::literal("site"),
        connector: Slug::literal("forms"),
        stream: Slug::literal("lead"),
        received_at: at,
        idempotency_key: Fingerprint::of_parts([&body[..], &at.0.to_le_bytes()]),
        content_type: "application/json".into(),
        headers: Vec::new(),
        body: Body::Inline(body),
    }
}

/// An order of 1C.
#[derive(Clone, Copy)]
pub(crate) struct Order<'a> {
    pub(crate) number: &'a str,
    pub(crate) buyer: &'a str,
    pub(crate) phone: &'a str,
    pub(crate) inn: &'a str,
    pub(crate) sum: &'a str,
    pub(crate) posted: bool,
    pub(crate) deleted: bool,
}

impl Order<'static> {
    pub(crate) const PLAIN: Order<'static> = Order {
        number: "УТ-000001",
        buyer: "Соколова Мария",
        phone: "",
        inn: "",
        sum: "120000",
        posted: true,
        deleted: false,
    };
}

impl Order<'_> {
    fn xml(&self) -> String {
        let Order { number, buyer, phone, inn, sum, posted, deleted } = self;
        let contact = match phone.is_empty() {
            true => String::new(),
            false => format!("<Контакт><Тип>Телефон рабочий</Тип><Значение>{phone}</Значение></Контакт>"),
        };
        let inn = match inn.is_empty() {
            true => String::new(),
            false => format!("<ИНН>{inn}</ИНН><ОфициальноеНаименование>{buyer}</ОфициальноеНаименование>"),
        };
        format!(
            "<Документ><Ид>order-{number}</Ид><Номер>{number}</Номер><Дата>2025-03-01</Дата><Время>10:00:00</Время>\
             <ХозОперация>Заказ товара</ХозОперация><Роль>Продавец</Роль><Валюта>руб</Валюта><Сумма>{sum}</Сумма>\
             <Контрагенты><Контрагент><Ид>buyer-{buyer}</Ид><Наименование>{buyer}</Наименование>\
             <ПолноеНаименование>{buyer}</ПолноеНаименование>{inn}<Роль>Покупатель</Роль>\
             <Контакты>{contact}</Контакты></Контрагент></Контрагенты><ЗначенияРеквизитов>\
             <ЗначениеРеквизита><Наименование>Проведен</Наименование><Значение>{posted}</Значение></ЗначениеРеквизита>\
             <ЗначениеРеквизита><Наименование>ПометкаУдаления</Наименование><Значение>{deleted}</Значение></ЗначениеРеквизита>\
             </ЗначенияРеквизитов></Документ>"
        )
    }
}

/// A file of 1C as the exchange would have journalled it.
pub(crate) fn orders_at(at: Timestamp, orders: &[Order<'_>]) -> Received {
    let documents: String = orders.iter().map(Order::xml).collect();
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><КоммерческаяИнформация ВерсияСхемы=\"2.08\" \
         ДатаФормирования=\"2025-03-03T12:00:00\">{documents}</КоммерческаяИнформация>"
    );
    let body = text.into_bytes();
    Received {
        connection: Slug::literal("1c"),
        connector: Slug::literal("commerceml"),
        stream: Slug::literal("exchange"),
        received_at: at,
        idempotency_key: Fingerprint::of_parts([&body[..], &at.0.to_le_bytes()]),
        content_type: "application/xml".into(),
        headers: vec![("file".into(), "orders.xml".to_owned())],
        body: Body::Inline(body),
    }
}

pub(crate) fn record(position: Position) -> ItemRef {
    ItemRef::new(position, 0)
}

/// A person who fills forms.
pub(crate) fn person(name: &str, phone: &str) -> Json {
    json!({ "name": name, "phone": phone })
}
