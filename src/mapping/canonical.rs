//! The one table of canonical fields that an inbound mapping may fill. Lint, near misses, the
//! reference and the setters all derive from it.

/// Part of a change that a field belongs to: a table of the mapping file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// The record as a whole.
    Record,
    /// What it says of the client.
    Client,
    /// What it says of a deal.
    Deal,
    /// What it says of a document.
    Document,
    /// The interaction it tells of.
    Interaction,
    /// Lines of the deal or document.
    Lines,
}

impl Section {
    /// Every section.
    pub const ALL: [Section; 6] =
        [Section::Record, Section::Client, Section::Deal, Section::Document, Section::Interaction, Section::Lines];

    /// Name of the table.
    pub fn name(self) -> &'static str {
        match self {
            Section::Record => "record",
            Section::Client => "client",
            Section::Deal => "deal",
            Section::Document => "document",
            Section::Interaction => "interaction",
            Section::Lines => "lines",
        }
    }
}

/// Type of a canonical field: decides which conversions fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One line.
    Text,
    /// Text of several lines.
    Prose,
    /// Name of a person or company, told apart.
    Name,
    /// Name of a company.
    Company,
    /// Surname, given name or patronymic.
    NamePart,
    /// Telephone numbers.
    Phone,
    /// E-mail addresses.
    Email,
    /// Ids in a messenger; the name of the messenger stands after the point.
    Messenger,
    /// Id of a browser.
    Visitor,
    /// Contact points whose type stands beside them.
    Contact,
    /// ИНН.
    Inn,
    /// КПП.
    Kpp,
    /// ОГРН.
    Ogrn,
    /// Yes or no.
    Flag,
    /// An instant.
    Instant,
    /// Money.
    Money,
    /// A number.
    Decimal,
    /// Type and id in the source; the type stands after the point.
    Foreign,
    /// `person` or `company`.
    ClientKind,
    /// What somebody is to us.
    Standing,
    /// `open`, `won`, `lost`, `refused`, `junk`.
    DealState,
    /// Kind of a document.
    DocumentKind,
    /// Kind of an interaction.
    InteractionKind,
    /// Who turned to whom.
    Direction,
    /// A click id of an advertisement; its name stands after the point.
    Click,
}

impl Kind {
    /// Whether the field's name is followed by a name of the author's choice.
    pub fn is_named(self) -> bool {
        matches!(self, Kind::Messenger | Kind::Foreign | Kind::Click)
    }

    /// Whether the field holds several values.
    pub fn is_many(self) -> bool {
        matches!(self, Kind::Phone | Kind::Email | Kind::Messenger | Kind::Contact)
    }

    /// The words that a closed kind understands; empty for open kinds.
    pub fn words(self) -> &'static [&'static str] {
        match self {
            Kind::ClientKind => &["person", "company"],
            Kind::Standing => &["client", "own", "supplier", "courier", "applicant", "spam"],
            Kind::DealState => &["open", "won", "lost", "refused", "junk"],
            Kind::DocumentKind => &["order", "invoice", "shipment", "payment", "return", "contract"],
            Kind::InteractionKind => {
                &["call", "letter", "form", "visit", "message", "note", "stage_transition", "meeting"]
            }
            Kind::Direction => &["inbound", "outbound", "internal"],
            Kind::Text
            | Kind::Prose
            | Kind::Name
            | Kind::Company
            | Kind::NamePart
            | Kind::Phone
            | Kind::Email
            | Kind::Messenger
            | Kind::Visitor
            | Kind::Contact
            | Kind::Inn
            | Kind::Kpp
            | Kind::Ogrn
            | Kind::Flag
            | Kind::Instant
            | Kind::Money
            | Kind::Decimal
            | Kind::Foreign
            | Kind::Click => &[],
        }
    }
}

macro_rules! fields {
    ($($id:ident $section:ident $name:literal $kind:ident $ru:literal $en:literal;)*) => {
        /// A canonical field.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Field {
            $(#[doc = $en] $id,)*
        }

        /// Every canonical field, in the order of the reference.
        pub const FIELDS: &[Spec] = &[
            $(Spec { field: Field::$id, section: Section::$section, name: $name, kind: Kind::$kind, help: ($ru, $en) },)*
        ];
    };
}

/// Row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spec {
    /// The field.
    pub field: Field,
    /// Its table in the mapping file.
    pub section: Section,
    /// Its name there.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// What it means; Russian and English.
    pub help: (&'static str, &'static str),
}

impl Spec {
    /// `client.phone`.
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.section.name(), self.name)
    }
}

fields! {
    ObservedAt Record "observed_at" Instant "Когда источник это увидел; без него — время приёма." "When the source observed it; without it, the time of receipt.";

    ClientName Client "name" Name "Имя человека или название компании, что именно — узнаётся." "Name of a person or company; which one is found out.";
    ClientCompany Client "company" Company "Название компании; важнее имени человека." "Name of a company; outranks a person's name.";
    ClientSurname Client "surname" NamePart "Фамилия отдельным полем." "Surname as a field of its own.";
    ClientGiven Client "given" NamePart "Имя отдельным полем." "Given name as a field of its own.";
    ClientPatronymic Client "patronymic" NamePart "Отчество отдельным полем." "Patronymic as a field of its own.";
    ClientKind Client "kind" ClientKind "Человек или компания, если источник знает." "Person or company, when the source knows.";
    ClientStanding Client "standing" Standing "Кто это нам: клиент, поставщик, свой." "What it is to us: client, supplier, own staff.";
    ClientForeign Client "foreign" Foreign "Идентификатор клиента в источнике; тип — после точки." "Id of the client in the source; its type after the point.";
    ClientPhone Client "phone" Phone "Телефоны." "Telephone numbers.";
    ClientEmail Client "email" Email "Адреса почты." "E-mail addresses.";
    ClientMessenger Client "messenger" Messenger "Имя в мессенджере; мессенджер — после точки." "Handle in a messenger; the messenger after the point.";
    ClientVisitor Client "visitor" Visitor "Идентификатор посетителя сайта." "Id of a visitor of the site.";
    ClientContact Client "contact" Contact "Контакты, тип которых записан рядом." "Contact points whose type stands beside them.";
    ClientInn Client "inn" Inn "ИНН." "Tax number (INN).";
    ClientKpp Client "kpp" Kpp "КПП." "KPP.";
    ClientOgrn Client "ogrn" Ogrn "ОГРН." "OGRN.";
    ClientAddress Client "address" Text "Адрес одной строкой." "Address in one line.";
    ClientResponsible Client "responsible" Text "Ответственный сотрудник." "Responsible employee.";
    ClientKnownSince Client "known_since" Instant "С какого времени источник знает клиента." "Since when the source has known the client.";
    ClientDecides Client "decides" Flag "Принимает ли решение (ЛПР)." "Whether the person decides.";

    DealForeign Deal "foreign" Foreign "Идентификатор сделки в источнике; тип — после точки." "Id of the deal in the source; its type after the point.";
    DealTitle Deal "title" Text "Название сделки." "Title of the deal.";
    DealCreatedAt Deal "created_at" Instant "Когда сделка появилась в источнике." "Since when the source has the deal.";
    DealPipeline Deal "pipeline" Text "Воронка." "Pipeline.";
    DealStage Deal "stage" Text "Этап по имени." "Stage by name.";
    DealStageSince Deal "stage_since" Instant "С какого времени сделка на этапе." "Since when the deal is in the stage.";
    DealState Deal "state" DealState "Открыта, выиграна, проиграна, отказ, мусор." "Open, won, lost, refused, junk.";
    DealPrice Deal "price" Money "Сумма сделки." "Price.";
    DealSource Deal "source" Text "Источник по имени." "Source by name.";
    DealUtmSource Deal "utm.source" Text "utm_source." "utm_source.";
    DealUtmMedium Deal "utm.medium" Text "utm_medium." "utm_medium.";
    DealUtmCampaign Deal "utm.campaign" Text "utm_campaign." "utm_campaign.";
    DealUtmContent Deal "utm.content" Text "utm_content." "utm_content.";
    DealUtmTerm Deal "utm.term" Text "utm_term." "utm_term.";
    DealUtmClick Deal "utm.clicks" Click "Идентификатор клика; его имя — после точки." "Click id; its name after the point.";
    DealResponsible Deal "responsible" Text "Ответственный сотрудник." "Responsible employee.";
    DealComment Deal "comment" Prose "Комментарий." "Comment.";
    DealProductLine Deal "product_line" Text "Направление, линейка товаров." "Product line.";
    DealCloseDate Deal "close_date" Instant "Ожидаемая дата закрытия." "Expected close.";
    DealClientRepliedAt Deal "client_replied_at" Instant "Когда клиент отвечал в последний раз." "When the client last answered.";
    DealNextStep Deal "next_step" Text "Следующий шаг: planned, none, overdue." "Next step: planned, none, overdue.";
    DealDeferred Deal "deferred" Flag "Отложена по договорённости." "Put off by agreement.";

    DocumentKind Document "kind" DocumentKind "Вид документа." "Kind of the document.";
    DocumentForeign Document "foreign" Foreign "Идентификатор документа в источнике; тип — после точки." "Id of the document in the source; its type after the point.";
    DocumentNumber Document "number" Text "Номер, как его знают люди." "Number as people know it.";
    DocumentBasis Document "basis" Text "Номер заказа или счёта, к которому относятся оплата, отгрузка, возврат." "Number of the order or invoice that a payment, shipment or return belongs to.";
    DocumentDate Document "date" Instant "Дата." "Date.";
    DocumentNumber1c Document "number_1c" Text "Номер в 1С, если обычный номер — с сайта." "Number in 1C, when the number is the site's own.";
    DocumentSum Document "sum" Money "Сумма с НДС." "Sum with VAT.";
    DocumentPosted Document "posted" Flag "Проведён." "Posted.";
    DocumentDeletionMark Document "deletion_mark" Flag "Помечен на удаление." "Marked for deletion.";
    DocumentCancelled Document "cancelled" Flag "Отменён." "Cancelled.";
    DocumentPaid Document "paid" Flag "Оплачен полностью." "Fully paid.";
    DocumentShipped Document "shipped" Flag "Отгружен полностью." "Fully shipped.";
    DocumentStatus Document "status" Text "Статус словами." "Status in words.";
    DocumentComment Document "comment" Prose "Комментарий." "Comment.";

    InteractionKind Interaction "kind" InteractionKind "Вид: форма, письмо, звонок." "Kind: form, letter, call.";
    InteractionForeign Interaction "foreign" Foreign "Идентификатор касания в источнике; тип — после точки." "Id of the interaction in the source; its type after the point.";
    InteractionDirection Interaction "direction" Direction "Кто к кому обратился; без него — клиент к нам." "Who turned to whom; without it, the client to us.";
    InteractionAt Interaction "at" Instant "Когда это было; без него — время приёма." "When it took place; without it, the time of receipt.";
    InteractionEndedAt Interaction "ended_at" Instant "Когда закончилось: отсюда длительность." "When it was over: hence the duration.";
    InteractionWho Interaction "who" Text "Сотрудник, который участвовал." "The employee who took part.";
    InteractionResult Interaction "result" Text "Чем кончилось." "What came of it.";
    InteractionSubject Interaction "subject" Text "Одной строкой: имя формы, тема письма." "One line: name of the form, subject of the letter.";
    InteractionText Interaction "text" Prose "Текст." "Text.";
    InteractionPage Interaction "page" Text "Страница сайта." "Page of the site.";

    LineProduct Lines "product" Text "Идентификатор товара в источнике." "Id of the product in its source.";
    LineName Lines "name" Text "Название товара." "Name of the product.";
    LineQuantity Lines "quantity" Decimal "Количество." "Quantity.";
    LinePrice Lines "price" Decimal "Цена за единицу." "Price of one.";
    LineSum Lines "sum" Decimal "Сумма строки." "Sum of the line.";
}

/// The fields of a section.
pub fn of(section: Section) -> impl Iterator<Item = &'static Spec> {
    FIELDS.iter().filter(move |spec| spec.section == section)
}

/// Whether `at` says where the section begins in a record; else it is a field.
pub(super) fn begins_at(section: Section) -> bool {
    find(section, "at").is_none()
}

/// The field of a section by name.
pub fn find(section: Section, name: &str) -> Option<&'static Spec> {
    of(section).find(|spec| spec.name == name)
}

/// The field by full name (`client.phone`).
pub fn find_full(name: &str) -> Option<&'static Spec> {
    let (section, rest) = name.split_once('.')?;
    let section = Section::ALL.into_iter().find(|it| it.name() == section)?;
    find(section, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_find_their_field() {
        for spec in FIELDS {
            assert_eq!(find_full(&spec.full_name()), Some(spec));
        }
        assert_eq!(find(Section::Client, "stage"), None);
    }

    #[test]
    fn every_field_is_explained_in_both_languages() {
        for spec in FIELDS {
            assert!(spec.help.0.ends_with('.') && spec.help.1.ends_with('.'), "{}", spec.full_name());
        }
    }
}
