"""One mail at most, whatever fails, repeats or overlaps; and a record of why not."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.customers import service as customers
from chalicelib.messages import gate, rules, service, store
from chalicelib.messages.model import Message, MessageClass, Outcome, Status
from chalicelib.messages.schemas import MessagesQuery
from chalicelib.shared import aws as clients
from chalicelib.shared.dynamo import table
from tests.support.faults import Crash, FaultyWire
from tests.support.post import Post, person

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
LATER = NOW + rules.LEASE + timedelta(seconds=1)
CALLS = 6  # who, suppressed address, gate, claim, SES, record


@pytest.fixture
def post(aws: Any) -> Post:
    return Post()


def promotion(customer_id: str = "u1", campaign: str = "welcome") -> Message:
    return Message(
        customer_id, f"campaign:{campaign}", "welcome", MessageClass.PROMOTIONAL, "campaign_welcome"
    )


def news(customer_id: str = "u1", status: str = "delivered") -> Message:
    return Message(
        customer_id,
        rules.shipment_key("s1", 1, status),
        "shipment",
        MessageClass.TRANSACTIONAL,
        f"shipment_{status}",
        status,
        {"order_id": "o1", "tracking_number": "1234", "link": ""},
        {
            "en": {"carrier": "Yamato Transport", "expected": ""},
            "ja": {"carrier": "ヤマト運輸", "expected": ""},
        },
    )


def listed(customer_id: str = "u1", now: datetime = NOW) -> list[tuple[str, str]]:
    page = service.page(customer_id, MessagesQuery(), now=now)
    return [(message.status.value, message.reason) for message in page.data]


def test_a_message_is_sent_once_however_often_it_is_asked_for(post: Post) -> None:
    person("u1")

    outcomes = [service.send(promotion(), now=NOW) for _ in range(3)]

    assert outcomes == [Outcome.SENT, Outcome.EARLIER, Outcome.EARLIER]
    assert post.count() == 1
    assert listed() == [("sent", "campaign_welcome")]
    assert post.asked[0]["EmailTags"] == [
        {"Name": "send_id", "Value": store.page("u1", now=NOW)[0].send_id},
        {"Name": "class", "Value": "promotional"},
        {"Name": "reason", "Value": "campaign_welcome"},
    ]


def test_ten_at_once_send_one(post: Post) -> None:
    person("u1")
    outcomes: list[Outcome] = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(service.send(promotion(), now=NOW)))
        for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert post.count() == 1
    assert outcomes.count(Outcome.SENT) == 1
    assert set(outcomes) <= {Outcome.SENT, Outcome.EARLIER, Outcome.IN_FLIGHT}


@pytest.mark.parametrize(
    ("email", "agrees", "kind", "reason"),
    [
        (None, None, "promotion", "no_consent"),
        (None, False, "promotion", "no_consent"),
        ("", True, "promotion", "no_address"),
        ("", True, "news", "no_address"),
        ("hana@example..com", True, "promotion", "unusable_address"),
        ("花子@例え.jp", True, "news", "unusable_address"),
    ],
)
def test_what_is_withheld_says_why(
    post: Post, email: str | None, agrees: bool | None, kind: str, reason: str
) -> None:
    person("u1", email=email, agrees=agrees)

    assert service.send(promotion() if kind == "promotion" else news(), now=NOW) is Outcome.WITHHELD

    assert post.count() == 0
    assert listed() == [("withheld", reason)]


def test_facts_about_an_order_need_no_consent(post: Post) -> None:
    person("u1", agrees=False)

    assert service.send(news(), now=NOW) is Outcome.SENT
    assert post.asked[0]["Content"]["Simple"]["Headers"] == []


def test_nobody_known_is_told_nothing(post: Post) -> None:
    assert service.send(news("stranger"), now=NOW) is Outcome.WITHHELD
    assert listed("stranger") == [("withheld", "no_address")]


@pytest.mark.parametrize("message", [promotion(), news()])
def test_a_suppressed_address_gets_nothing_whoever_has_it(post: Post, message: Message) -> None:
    address = person("u1")
    service.suppress_address(address.upper(), "bounce", now=NOW)

    assert service.send(message, now=NOW) is Outcome.WITHHELD
    assert listed() == [("withheld", "suppressed")]


def test_a_suppressed_customer_gets_nothing(post: Post) -> None:
    person("u1")
    gate.suppress("u1", "complaint")

    assert service.send(news(), now=NOW) is Outcome.WITHHELD
    assert service.send(promotion(), now=NOW) is Outcome.WITHHELD
    assert [reason for _, reason in listed()] == ["suppressed", "suppressed"]
    assert post.count() == 0


def test_what_was_withheld_stays_withheld(post: Post) -> None:
    """A consent given later is for later mails; this one was decided when it was due."""
    person("u1", agrees=False)
    service.send(promotion(), now=NOW)
    patch = customers.CustomerPatch.model_validate({"consents": {"email_marketing": {"status": "granted"}}})
    customers.edit("u1", patch, if_match="", by_customer=False, now=NOW)

    assert service.send(promotion(), now=LATER) is Outcome.EARLIER
    assert service.send(promotion(campaign="other"), now=LATER) is Outcome.SENT
    assert listed() == [("sent", "campaign_welcome"), ("withheld", "no_consent")]


def test_a_withdrawal_between_planning_and_sending_counts(post: Post) -> None:
    person("u1")
    gate.withdraw("u1", "email_marketing", source="one_click", now=NOW)

    assert service.send(promotion(), now=NOW) is Outcome.WITHHELD
    assert post.count() == 0


@pytest.mark.parametrize("fault", ["crash_before", "crash_after"])
@pytest.mark.parametrize("call", range(CALLS))
def test_a_crash_at_any_call_never_sends_twice(aws: Any, post: Post, fault: str, call: int) -> None:
    person("u1")
    plan = on_the_wire(aws, ["ok"] * call + [fault])
    with pytest.raises(Crash):
        service.send(promotion(), now=NOW)
    plan.clear()

    again = [service.send(promotion(), now=moment) for moment in (NOW, LATER, LATER)]

    done = call + (fault == "crash_after")
    assert post.count() == (
        0 if done == 4 else 1
    )  # claimed, and dead before SES was asked: lost, and said so
    assert again[-1] is Outcome.EARLIER
    if done < 4:
        assert (again[0], listed(now=LATER)[0][0]) == (Outcome.SENT, "sent")
    elif done == 6:
        assert (again[0], listed(now=LATER)[0][0]) == (Outcome.EARLIER, "sent")
    else:
        assert again[:2] == [Outcome.IN_FLIGHT, Outcome.UNKNOWN]
        assert listed(now=LATER) == [("unknown", "no_answer")]


@pytest.mark.parametrize("call", range(CALLS))
def test_a_lost_reply_is_no_second_mail(aws: Any, post: Post, call: int) -> None:
    person("u1")
    on_the_wire(aws, ["ok"] * call + ["reply_lost"])

    outcome = service.send(promotion(), now=NOW)

    assert outcome is (Outcome.UNKNOWN if call == 4 else Outcome.SENT)
    assert service.send(promotion(), now=LATER) is Outcome.EARLIER
    assert post.count() == 1


@pytest.mark.parametrize(
    ("fault", "sent_at_once"), [("throttle", 0), ("never_sent", 0), ("server_error", None)]
)
def test_what_ses_did_certainly_not_send_is_tried_again(
    aws: Any, post: Post, fault: str, sent_at_once: int | None
) -> None:
    person("u1")
    plan = on_the_wire(aws, ["ok"] * 4 + [fault])

    first = service.send(promotion(), now=NOW)
    plan.clear()
    second = service.send(promotion(), now=NOW)

    if sent_at_once == 0:
        assert (first, second, post.count()) == (Outcome.DEFERRED, Outcome.SENT, 1)
    else:  # an error of theirs says nothing about the mail
        assert (first, second, post.count()) == (Outcome.UNKNOWN, Outcome.EARLIER, 0)
        assert listed() == [("unknown", "no_answer")]


def test_consent_withdrawn_before_the_second_try_counts(aws: Any, post: Post) -> None:
    person("u1")
    on_the_wire(aws, ["ok"] * 4 + ["throttle"])
    service.send(promotion(), now=NOW)
    assert listed()[0][0] == "deferred"
    gate.withdraw("u1", "email_marketing", source="one_click", now=NOW)

    assert service.send(promotion(), now=NOW) is Outcome.WITHHELD
    assert listed() == [("withheld", "no_consent")]


def test_a_mail_that_ses_rejects_for_good_is_not_tried_again(post: Post) -> None:
    person("u1")
    clients.client("sesv2").delete_email_identity(EmailIdentity="shop@example.com")

    assert [service.send(promotion(), now=NOW) for _ in range(2)] == [Outcome.FAILED, Outcome.EARLIER]
    assert listed() == [("failed", "MessageRejected")]


def test_who_was_given_up_and_lives_may_still_say_that_it_was_sent(aws: Any, post: Post) -> None:
    person("u1")
    send = service._record(promotion(), Status.CLAIMED, now=NOW)
    assert store.claim(send) is None
    assert service.send(promotion(), now=LATER) is Outcome.UNKNOWN

    assert store.settle(send, Status.SENT, provider_id="p1").status is Status.SENT
    assert listed(now=LATER) == [("sent", "campaign_welcome")]
    assert store.settle(send, Status.FAILED).status is Status.SENT  # and then it stays so


def test_a_message_costs_three_small_writes(aws: Any, post: Post) -> None:
    person("u1")
    seen: list[str] = []
    aws.meta.events.register("before-call.dynamodb", lambda model, **_: seen.append(model.name))

    service.send(promotion(), now=NOW)

    assert [name for name in seen if name not in ("GetItem", "BatchGetItem")] == [
        "UpdateItem",
        "PutItem",
        "PutItem",
    ]
    for item in table("engagement").query("C#u1"):
        assert len(repr(item)) < 1000


def test_messages_are_listed_newest_first_page_by_page_until_they_expire(post: Post) -> None:
    person("u1")
    for number in range(5):
        service.send(promotion(campaign=f"c{number}"), now=NOW + timedelta(days=number))

    seen, cursor = [], None
    for _ in range(3):
        page = service.page("u1", MessagesQuery(limit=2, cursor=cursor), now=NOW + timedelta(days=5))
        seen += [message.at for message in page.data]
        cursor = page.next_cursor

    assert seen == [NOW + timedelta(days=number) for number in (4, 3, 2, 1, 0)]
    assert cursor is None
    assert len(service.page("u1", MessagesQuery(), now=NOW + rules.KEPT + timedelta(days=2)).data) == 2


def on_the_wire(aws: Any, plan: list[str]) -> list[str]:
    """One plan for the requests to the store and to SES together, in the order in which they go out."""
    FaultyWire(aws).plan = plan
    FaultyWire(clients.client("sesv2"), "sesv2").plan = plan
    return plan
