"""Whatever fails is tried again, reported alone, and at last kept where a person is told of it."""

from __future__ import annotations

from typing import Any

from infrastructure.template import references

FOURTEEN_DAYS = 14 * 24 * 3600
STREAM_KEEPS_SECONDS = 24 * 3600


def _mappings(translated: Any, source: str) -> dict[str, Any]:
    found = {
        name: each
        for name, each in translated.of("AWS::Lambda::EventSourceMapping").items()
        if source in str(each["EventSourceArn"])
    }
    assert found
    return found


def _only(part: Any) -> str:
    [name] = references(part)
    return name


def test_every_mapping_reports_what_failed_alone(translated: Any) -> None:
    for name, mapping in translated.of("AWS::Lambda::EventSourceMapping").items():
        assert mapping.get("FunctionResponseTypes") == ["ReportBatchItemFailures"], name


def test_a_stream_starts_at_its_beginning_and_gives_up_in_time(translated: Any) -> None:
    for name, mapping in _mappings(translated, "StreamArn").items():
        assert mapping["StartingPosition"] == "TRIM_HORIZON", name
        assert mapping["BisectBatchOnFunctionError"] is True, name
        assert 0 < mapping["MaximumRetryAttempts"] <= 100, name
        assert 0 < mapping["MaximumRecordAgeInSeconds"] < STREAM_KEEPS_SECONDS, name
        destination = _only(mapping["DestinationConfig"]["OnFailure"]["Destination"])
        assert translated.all[destination]["Type"] == "AWS::SQS::Queue", name


def test_every_rule_keeps_what_it_could_not_deliver(translated: Any) -> None:
    for name, rule in translated.of("AWS::Events::Rule").items():
        assert rule["Targets"]
        for target in rule["Targets"]:
            assert translated.all[_only(target["DeadLetterConfig"]["Arn"])]["Type"] == "AWS::SQS::Queue", name
            assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0, name
            assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] > 0, name


def test_every_function_called_by_a_schedule_keeps_its_failed_runs(resources: Any, translated: Any) -> None:
    timed = [
        name
        for name, each in resources.of("AWS::Serverless::Function").items()
        if any(event["Type"] == "Schedule" for event in each.get("Events", {}).values())
    ]
    assert timed
    configured = {
        _only(each["FunctionName"]): each for each in translated.of("AWS::Lambda::EventInvokeConfig").values()
    }
    for name in timed:
        destination = _only(configured[name]["DestinationConfig"]["OnFailure"]["Destination"])
        assert translated.all[destination]["Type"] == "AWS::SQS::Queue", name
        assert configured[name]["MaximumRetryAttempts"] >= 1, name


def test_a_message_is_hidden_for_six_timeouts_and_received_five_times(translated: Any) -> None:
    queues, functions = translated.of("AWS::SQS::Queue"), translated.of("AWS::Lambda::Function")
    for name, mapping in _mappings(translated, "Queue").items():
        queue = queues[_only(mapping["EventSourceArn"])]
        function = functions[_only(mapping["FunctionName"])]
        assert queue["VisibilityTimeout"] >= 6 * function["Timeout"], name
        assert queue["RedrivePolicy"]["maxReceiveCount"] >= 5, name


def test_dead_letters_are_kept_as_long_as_possible_and_longer_than_their_queue(translated: Any) -> None:
    queues = translated.of("AWS::SQS::Queue")
    dead = [queues[name] for name in _dead_letter_queues(translated)]
    assert dead
    assert {queue["MessageRetentionPeriod"] for queue in dead} == {FOURTEEN_DAYS}
    # A dead letter keeps the age it had in its queue.
    living = [queue for name, queue in queues.items() if name not in _dead_letter_queues(translated)]
    assert all(queue.get("MessageRetentionPeriod", 4 * 24 * 3600) < FOURTEEN_DAYS for queue in living)


def test_somebody_is_told_of_every_dead_letter(translated: Any) -> None:
    watched = {
        _only(alarm["Dimensions"][0]["Value"])
        for alarm in translated.of("AWS::CloudWatch::Alarm").values()
        if alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
    }
    assert watched == _dead_letter_queues(translated)


def _dead_letter_queues(translated: Any) -> set[str]:
    return {name for name, queue in translated.of("AWS::SQS::Queue").items() if "RedrivePolicy" not in queue}


def test_every_function_every_stream_and_the_api_are_watched(translated: Any) -> None:
    alarms = list(translated.of("AWS::CloudWatch::Alarm").values())

    def watched(metric: str) -> list[Any]:
        return [each["Dimensions"][0]["Value"] for each in alarms if each["MetricName"] == metric]

    streams = {_only(each["FunctionName"]) for each in _mappings(translated, "StreamArn").values()}
    queues = {_only(each["FunctionName"]) for each in _mappings(translated, "Queue").values()}
    assert {_only(each) for each in watched("IteratorAge")} == streams
    # Whole failures of the others end in dead letters, each of which is watched (above).
    assert {_only(each) for each in watched("Errors")} == set(
        translated.of("AWS::Lambda::Function")
    ) - streams - queues
    [api] = translated.of("AWS::ApiGateway::RestApi").values()
    assert watched("5XXError") == [api["Name"]]
    assert all(each["AlarmActions"] == [{"Ref": "Alarms"}] for each in alarms)
