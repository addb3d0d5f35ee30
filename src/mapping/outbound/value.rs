//! The one table of canonical names that an outbound mapping may send.

use compact_str::CompactString;
use rust_decimal::Decimal;
use serde_json::Value as Json;

use super::{OutObject, Ref};
use crate::base::Timestamp;
use crate::model::{
    ClientKind, CompanyName, ContactPoint, DealState, Direction, InteractionKind, Name as ClientName, PersonName,
    Score, Sourced,
};

macro_rules! names {
    ($($id:ident $name:literal $ru:literal $en:literal;)*) => {
        /// A canonical name that can be sent.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Name {
            $(#[doc = $en] $id,)*
        }

        /// Every name with its text and help (Russian, English), in the order of the reference.
        pub const NAMES: &[(&str, Name, (&str, &str))] = &[$(($name, Name::$id, ($ru, $en)),)*];
    };
}

/// The text of a canonical name.
pub(super) fn name_text(name: Name) -> Option<&'static str> {
    NAMES.iter().find(|(_, it, _)| *it == name).map(|(text, ..)| *text)
}

names! {
    ClientId "client.id" "Наш идентификатор клиента." "Our id of the client.";
    ClientKind "client.kind" "person или company." "person or company.";
    ClientShown "client.name.shown" "Имя, как его читают люди." "Name as people read it.";
    ClientSurname "client.name.surname" "Фамилия." "Surname.";
    ClientGiven "client.name.given" "Имя." "Given name.";
    ClientPatronymic "client.name.patronymic" "Отчество." "Patronymic.";
    ClientCompany "client.name.company" "Название компании с формой." "Name of the company with its form.";
    ClientForm "client.name.form" "Правовая форма." "Legal form.";
    ClientBare "client.name.bare" "Название без формы и кавычек." "Name without form and quotes.";
    ClientPhone "client.contacts.phone" "Телефоны." "Telephone numbers.";
    ClientEmail "client.contacts.email" "Адреса почты." "E-mail addresses.";
    ClientInn "client.inn" "ИНН." "Tax number (INN).";
    ClientKpp "client.kpp" "КПП." "KPP.";
    ClientOgrn "client.ogrn" "ОГРН." "OGRN.";
    ClientAddress "client.address" "Адрес." "Address.";
    ClientResponsible "client.responsible" "Ответственный за клиента." "Responsible employee of the client.";
    ClientResponsibleId "client.responsible.id" "Идентификатор ответственного за клиента в этой системе." "Id of the client's responsible in that system.";
    ClientSegment "client.segment" "Сегмент." "Segment.";
    DealId "deal.id" "Наш идентификатор сделки." "Our id of the deal.";
    DealTitle "deal.title" "Название сделки." "Title of the deal.";
    DealPipeline "deal.pipeline" "Воронка." "Pipeline.";
    DealStage "deal.stage" "Этап." "Stage.";
    DealState "deal.state" "open, won или lost." "open, won or lost.";
    DealAmount "deal.price.amount" "Сумма сделки." "Price.";
    DealCurrency "deal.price.currency" "Валюта суммы." "Currency of the price.";
    DealSource "deal.source" "Источник." "Source.";
    DealComment "deal.comment" "Комментарий." "Comment.";
    DealResponsible "deal.responsible" "Ответственный за сделку." "Responsible employee of the deal.";
    DealResponsibleId "deal.responsible.id" "Идентификатор ответственного за сделку в этой системе." "Id of the deal's responsible in that system.";
    DealProductLine "deal.product_line" "Направление." "Product line.";
    DealCloseDate "deal.close_date" "Ожидаемое закрытие." "Expected close.";
    DealCreatedAt "deal.created_at" "Когда сделка стала известна." "When the deal became known.";
    DealPaid "deal.paid.amount" "Оплачено." "Sum paid.";
    UtmSource "deal.utm.source" "utm_source первого касания." "utm_source of the first touch.";
    UtmMedium "deal.utm.medium" "utm_medium первого касания." "utm_medium of the first touch.";
    UtmCampaign "deal.utm.campaign" "utm_campaign первого касания." "utm_campaign of the first touch.";
    UtmContent "deal.utm.content" "utm_content первого касания." "utm_content of the first touch.";
    UtmTerm "deal.utm.term" "utm_term первого касания." "utm_term of the first touch.";
    ScoreClass "score.class" "Класс сделки." "Class of the deal.";
    ScoreProbability "score.probability" "Вероятность, проценты." "Probability, percent.";
    ScoreValue "score.value" "Ценность: сумма на вероятность." "Value: price times probability.";
    ScoreExplanation "score.explanation" "Как получилась оценка." "How the score came about.";
    InteractionId "interaction.id" "Наш идентификатор касания." "Our id of the interaction.";
    InteractionKind "interaction.kind" "Вид касания." "Kind of the interaction.";
    InteractionDirection "interaction.direction" "Кто к кому обратился." "Who turned to whom.";
    InteractionAt "interaction.at" "Когда это было." "When it took place.";
    InteractionSubject "interaction.subject" "Тема." "Subject.";
    InteractionText "interaction.text" "Текст." "Text.";
    InteractionPage "interaction.page" "Страница сайта." "Page of the site.";
    InteractionWho "interaction.who" "Сотрудник, который участвовал." "The employee who took part.";
    InteractionResult "interaction.result" "Чем кончилось." "What came of it.";
    InteractionDuration "interaction.duration_s" "Сколько длилось, в секундах; звонка — сколько говорили." "How long it took, s; of a call, how long people spoke.";
    InteractionSource "interaction.source" "Подключение, которое о нём сообщило." "The connection that told of it.";
    TaskId "task.id" "Наш идентификатор задачи." "Our id of the task.";
    TaskKind "task.kind" "Вид задачи." "Kind of the task.";
    TaskTitle "task.title" "Что сделать." "What is to be done.";
    TaskDue "task.due" "Срок задачи." "Deadline of the task.";
    TaskResponsible "task.responsible" "Кто делает задачу." "Who does the task.";
    TaskResponsibleId "task.responsible.id" "Идентификатор того, кто делает задачу, в этой системе." "Id of who does the task in that system.";
    TaskState "task.state" "open, done или cancelled." "open, done or cancelled.";
    TaskResult "task.result" "Чем кончилась задача; пусто, пока она открыта." "How the task ended; empty while it is open.";
    RefClient "ref.client" "Идентификатор клиента в этой системе." "Id of the client in that system.";
    RefDeal "ref.deal" "Идентификатор сделки в этой системе." "Id of the deal in that system.";
}

/// A value on its way out. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Taken {
    Text(String),
    List(Vec<String>),
    Amount(Decimal),
    /// In hundredths: basis points as percent, kopecks as roubles.
    Hundredths(i64),
    Instant(Timestamp),
}

impl Taken {
    pub(super) fn text(self) -> String {
        match self {
            Taken::Text(text) => text,
            Taken::List(texts) => texts.join(", "),
            Taken::Amount(amount) => amount.normalize().to_string(),
            Taken::Hundredths(hundredths) => Decimal::new(hundredths, 2).normalize().to_string(),
            Taken::Instant(at) => at.to_string(),
        }
    }

    pub(super) fn decimal(&self) -> Option<Decimal> {
        match self {
            Taken::Text(text) => text.parse().ok(),
            Taken::Amount(amount) => Some(*amount),
            Taken::Hundredths(hundredths) => Some(Decimal::new(*hundredths, 2)),
            Taken::List(_) | Taken::Instant(_) => None,
        }
    }

    /// A whole number as a whole number, another as the nearest double: both print the same on
    /// every machine.
    pub(super) fn number(&self) -> Option<Json> {
        let decimal = self.decimal()?.normalize();
        if decimal.scale() == 0 {
            return i64::try_from(decimal.mantissa()).ok().map(Json::from);
        }
        decimal.to_string().parse::<f64>().ok().map(Json::from)
    }

    pub(super) fn list(self) -> Vec<String> {
        match self {
            Taken::List(texts) => texts,
            other @ (Taken::Text(_) | Taken::Amount(_) | Taken::Hundredths(_) | Taken::Instant(_)) => {
                vec![other.text()]
            }
        }
    }

    pub(super) fn instant(&self) -> Option<Timestamp> {
        match self {
            Taken::Instant(at) => Some(*at),
            Taken::Text(_) | Taken::List(_) | Taken::Amount(_) | Taken::Hundredths(_) => None,
        }
    }
}

/// `50000.00`.
pub(super) fn two_digits(amount: Decimal) -> String {
    use rust_decimal::RoundingStrategy::MidpointAwayFromZero;
    format!("{:.2}", amount.round_dp_with_strategy(2, MidpointAwayFromZero))
}

impl Name {
    /// By its text.
    pub fn parse(text: &str) -> Option<Name> {
        NAMES.iter().find(|(name, ..)| *name == text).map(|(_, name, _)| *name)
    }

    /// What kind of values it gives: decides which formats fit.
    pub(super) fn shape(self) -> Shape {
        match self {
            Name::ClientPhone | Name::ClientEmail => Shape::List,
            Name::DealAmount | Name::DealPaid | Name::ScoreProbability | Name::ScoreValue => Shape::Number,
            Name::DealCloseDate | Name::DealCreatedAt | Name::InteractionAt | Name::TaskDue => Shape::Instant,
            Name::ClientId
            | Name::ClientKind
            | Name::ClientShown
            | Name::ClientSurname
            | Name::ClientGiven
            | Name::ClientPatronymic
            | Name::ClientCompany
            | Name::ClientForm
            | Name::ClientBare
            | Name::ClientInn
            | Name::ClientKpp
            | Name::ClientOgrn
            | Name::ClientAddress
            | Name::ClientResponsible
            | Name::ClientResponsibleId
            | Name::ClientSegment
            | Name::DealId
            | Name::DealTitle
            | Name::DealPipeline
            | Name::DealStage
            | Name::DealState
            | Name::DealCurrency
            | Name::DealSource
            | Name::DealComment
            | Name::DealResponsible
            | Name::DealResponsibleId
            | Name::DealProductLine
            | Name::UtmSource
            | Name::UtmMedium
            | Name::UtmCampaign
            | Name::UtmContent
            | Name::UtmTerm
            | Name::ScoreClass
            | Name::ScoreExplanation
            | Name::InteractionId
            | Name::InteractionKind
            | Name::InteractionDirection
            | Name::InteractionSubject
            | Name::InteractionText
            | Name::InteractionPage
            | Name::InteractionWho
            | Name::InteractionResult
            | Name::InteractionDuration
            | Name::InteractionSource
            | Name::TaskId
            | Name::TaskKind
            | Name::TaskTitle
            | Name::TaskResponsible
            | Name::TaskResponsibleId
            | Name::TaskState
            | Name::TaskResult
            | Name::RefClient
            | Name::RefDeal => Shape::Text,
        }
    }

    /// The value; `None` when there is none.
    pub(super) fn take(self, object: &OutObject<'_>) -> Option<Taken> {
        let (client, deal, interaction) = (object.client, object.deal, object.interaction);
        let task = || object.task.map(|it| it.task);
        let score = || deal.and_then(|deal| deal.score.as_ref());
        let company = |part: fn(&CompanyName) -> &str| text(company_of(object)?, part);
        let person = |part: fn(&PersonName) -> &str| text(person_of(object)?, part);
        match self {
            Name::ClientId => filled(&client?.id.to_string()),
            Name::ClientKind => filled(kind_name(client?.kind)),
            Name::ClientShown => filled(&client?.shown_name()),
            Name::ClientSurname => person(|it| &it.surname),
            Name::ClientGiven => person(|it| &it.given),
            Name::ClientPatronymic => person(|it| &it.patronymic),
            Name::ClientCompany => company(|it| &it.full),
            Name::ClientForm => company(|it| &it.form),
            Name::ClientBare => company(|it| &it.bare),
            Name::ClientPhone => contacts(object, |point| match point {
                ContactPoint::Phone(phone) => Some(match &phone.extension {
                    Some(extension) => format!("{};{extension}", phone.e164),
                    None => phone.e164.to_string(),
                }),
                ContactPoint::Email(_) | ContactPoint::Messenger(..) | ContactPoint::Visitor(_) => None,
            }),
            Name::ClientEmail => contacts(object, |point| match point {
                ContactPoint::Email(email) => Some(email.address.to_string()),
                ContactPoint::Phone(_) | ContactPoint::Messenger(..) | ContactPoint::Visitor(_) => None,
            }),
            Name::ClientInn => sourced(&client?.inn, |it| &it.0),
            Name::ClientKpp => sourced(&client?.kpp, |it| &it.0),
            Name::ClientOgrn => sourced(&client?.ogrn, |it| &it.0),
            Name::ClientAddress => sourced(&client?.address, |it| it),
            Name::ClientResponsible => employee_name(object, client?.responsible.as_ref()?),
            Name::ClientResponsibleId => employee_id(object, client?.responsible.as_ref()?),
            Name::ClientSegment => sourced(&client?.segment, |it| it),
            Name::DealId => filled(&deal?.id.to_string()),
            Name::DealTitle => sourced(&deal?.title, |it| it),
            Name::DealPipeline => sourced(&deal?.pipeline, |it| it),
            Name::DealStage => sourced(&deal?.stage, |it| it),
            Name::DealState => filled(match deal?.state {
                DealState::Open => "open",
                DealState::Won(_) => "won",
                DealState::Lost(..) => "lost",
            }),
            Name::DealAmount => Some(Taken::Amount(deal?.price.as_ref()?.value.amount)),
            Name::DealCurrency => sourced(&deal?.price, |it| &it.currency.0),
            Name::DealSource => sourced(&deal?.source, |it| it),
            Name::DealComment => sourced(&deal?.comment, |it| it),
            Name::DealResponsible => employee_name(object, deal?.responsible.as_ref()?),
            Name::DealResponsibleId => employee_id(object, deal?.responsible.as_ref()?),
            Name::DealProductLine => sourced(&deal?.product_line, |it| it),
            Name::DealCloseDate => Some(Taken::Instant(deal?.close_date.as_ref()?.value)),
            Name::DealCreatedAt => Some(Taken::Instant(deal?.created_at)),
            Name::DealPaid => Some(Taken::Amount(deal?.paid.as_ref()?.value.amount)),
            Name::UtmSource => filled(&deal?.utm_first.source),
            Name::UtmMedium => filled(&deal?.utm_first.medium),
            Name::UtmCampaign => filled(&deal?.utm_first.campaign),
            Name::UtmContent => filled(&deal?.utm_first.content),
            Name::UtmTerm => filled(&deal?.utm_first.term),
            Name::ScoreClass => filled(score()?.class.name()),
            Name::ScoreProbability => score().map(|it: &Score| Taken::Hundredths(it.p_bp.into())),
            Name::ScoreValue => score()?.value_minor.map(Taken::Hundredths),
            Name::ScoreExplanation => score().and_then(|_| filled(object.explanation)),
            Name::InteractionId => filled(&interaction?.id.to_string()),
            Name::InteractionKind => filled(interaction_name(interaction?.kind)),
            Name::InteractionDirection => filled(match interaction?.direction {
                Direction::Inbound => "inbound",
                Direction::Outbound => "outbound",
                Direction::Internal => "internal",
            }),
            Name::InteractionAt => Some(Taken::Instant(interaction?.at)),
            Name::InteractionSubject => filled(&interaction?.subject),
            Name::InteractionText => filled(&interaction?.text),
            Name::InteractionPage => filled(&interaction?.page),
            Name::InteractionWho => filled(interaction?.who.as_ref()?),
            Name::InteractionResult => filled(&interaction?.result),
            Name::InteractionDuration => filled(&interaction?.duration_s.filter(|it| *it > 0)?.to_string()),
            Name::InteractionSource => filled(&interaction?.source),
            Name::TaskId => filled(&task()?.id.to_string()),
            Name::TaskKind => filled(task()?.kind.name()),
            Name::TaskTitle => filled(object.task?.title),
            Name::TaskDue => Some(Taken::Instant(task()?.due)),
            Name::TaskResponsible => {
                let key = task()?.responsible.as_ref()?;
                filled(&(object.employee)(key).map_or_else(|| key.to_string(), |it| it.name))
            }
            Name::TaskResponsibleId => {
                (object.employee)(task()?.responsible.as_ref()?).and_then(|it| it.id).and_then(|id| filled(&id))
            }
            Name::TaskState => filled(task()?.state.name()),
            Name::TaskResult => filled(object.task?.result),
            Name::RefClient => (object.foreign)(Ref::Client).and_then(|id| filled(&id)),
            Name::RefDeal => (object.foreign)(Ref::Deal).and_then(|id| filled(&id)),
        }
    }

    /// Rank of the source that said the value; `None` where a value has no source.
    pub(super) fn rank(self, object: &OutObject<'_>) -> Option<u8> {
        fn of<T>(slot: &Option<Sourced<T>>) -> Option<u8> {
            slot.as_ref().map(|it| it.provenance.rank)
        }
        let (client, deal) = (object.client, object.deal);
        match self {
            Name::ClientShown
            | Name::ClientSurname
            | Name::ClientGiven
            | Name::ClientPatronymic
            | Name::ClientCompany
            | Name::ClientForm
            | Name::ClientBare => of(&client?.name),
            Name::ClientInn => of(&client?.inn),
            Name::ClientKpp => of(&client?.kpp),
            Name::ClientOgrn => of(&client?.ogrn),
            Name::ClientAddress => of(&client?.address),
            Name::ClientResponsible | Name::ClientResponsibleId => of(&client?.responsible),
            Name::ClientSegment => of(&client?.segment),
            Name::DealTitle => of(&deal?.title),
            Name::DealPipeline => of(&deal?.pipeline),
            Name::DealStage => of(&deal?.stage),
            Name::DealAmount | Name::DealCurrency => of(&deal?.price),
            Name::DealSource => of(&deal?.source),
            Name::DealComment => of(&deal?.comment),
            Name::DealResponsible | Name::DealResponsibleId => of(&deal?.responsible),
            Name::DealProductLine => of(&deal?.product_line),
            Name::DealCloseDate => of(&deal?.close_date),
            Name::DealPaid => of(&deal?.paid),
            Name::ClientId
            | Name::ClientKind
            | Name::ClientPhone
            | Name::ClientEmail
            | Name::DealId
            | Name::DealState
            | Name::DealCreatedAt
            | Name::UtmSource
            | Name::UtmMedium
            | Name::UtmCampaign
            | Name::UtmContent
            | Name::UtmTerm
            | Name::ScoreClass
            | Name::ScoreProbability
            | Name::ScoreValue
            | Name::ScoreExplanation
            | Name::InteractionId
            | Name::InteractionKind
            | Name::InteractionDirection
            | Name::InteractionAt
            | Name::InteractionSubject
            | Name::InteractionText
            | Name::InteractionPage
            | Name::InteractionWho
            | Name::InteractionResult
            | Name::InteractionDuration
            | Name::InteractionSource
            | Name::TaskId
            | Name::TaskKind
            | Name::TaskTitle
            | Name::TaskDue
            | Name::TaskResponsible
            | Name::TaskResponsibleId
            | Name::TaskState
            | Name::TaskResult
            | Name::RefClient
            | Name::RefDeal => None,
        }
    }
}

/// Kind of values that a name gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    List,
    Number,
    Instant,
}

fn filled(text: &str) -> Option<Taken> {
    (!text.is_empty()).then(|| Taken::Text(text.to_owned()))
}

fn text<T>(of: &T, part: fn(&T) -> &str) -> Option<Taken> {
    filled(part(of))
}

fn sourced<'o, T>(slot: &'o Option<Sourced<T>>, part: impl Fn(&'o T) -> &'o str) -> Option<Taken> {
    filled(part(&slot.as_ref()?.value))
}

/// The name of an employee that is known, else the text as its source wrote it.
fn employee_name(object: &OutObject<'_>, held: &Sourced<CompactString>) -> Option<Taken> {
    match (object.employee)(&held.value) {
        Some(employee) => filled(&employee.name),
        None => filled(&held.value),
    }
}

fn employee_id(object: &OutObject<'_>, held: &Sourced<CompactString>) -> Option<Taken> {
    (object.employee)(&held.value).and_then(|it| it.id).and_then(|id| filled(&id))
}

fn person_of<'o>(object: &OutObject<'o>) -> Option<&'o PersonName> {
    match &object.client?.name.as_ref()?.value {
        ClientName::Person(person) => Some(person),
        ClientName::Company(_) => None,
    }
}

fn company_of<'o>(object: &OutObject<'o>) -> Option<&'o CompanyName> {
    match &object.client?.name.as_ref()?.value {
        ClientName::Company(company) => Some(company),
        ClientName::Person(_) => None,
    }
}

fn contacts(object: &OutObject<'_>, pick: fn(&ContactPoint) -> Option<String>) -> Option<Taken> {
    let mut texts: Vec<String> = Vec::new();
    for held in &object.client?.contacts {
        if let Some(text) = pick(&held.point)
            && !texts.contains(&text)
        {
            texts.push(text);
        }
    }
    (!texts.is_empty()).then_some(Taken::List(texts))
}

fn kind_name(kind: ClientKind) -> &'static str {
    match kind {
        ClientKind::Person => "person",
        ClientKind::Company => "company",
    }
}

pub(in crate::mapping) fn interaction_name(kind: InteractionKind) -> &'static str {
    match kind {
        InteractionKind::Call => "call",
        InteractionKind::Letter => "letter",
        InteractionKind::Form => "form",
        InteractionKind::Visit => "visit",
        InteractionKind::Message => "message",
        InteractionKind::Note => "note",
        InteractionKind::StageTransition => "stage_transition",
        InteractionKind::Meeting => "meeting",
    }
}
