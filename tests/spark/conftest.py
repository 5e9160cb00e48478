"""A Spark inside this machine: two threads, no page, no port that others could reach, nothing left behind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

LOOPBACK = "127.0.0.1"
OWN_SETTINGS = ("SPARK_", "PYSPARK_", "HADOOP_", "YARN_")
LOGGING = Path(__file__).with_name("log4j2.properties")


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One session for all tests: its start costs more than most of them."""
    from pyspark.sql import SparkSession

    folder = tmp_path_factory.mktemp("spark")
    # Everything here runs once: code that is compiled quickly is worth more than code that runs quickly.
    java = ("-XX:TieredStopAtLevel=1", f"-Dlog4j2.configurationFile={LOGGING.as_uri()}")
    settings = {
        "spark.driver.host": LOOPBACK,
        "spark.driver.bindAddress": LOOPBACK,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.local.dir": str(folder / "local"),
        "spark.sql.warehouse.dir": (folder / "warehouse").as_uri(),
        "spark.driver.extraJavaOptions": " ".join(java),
        "spark.sql.adaptive.enabled": "false",
        # Two parts, so that sums and numbers are put together from pieces as they are on many machines.
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.session.timeZone": "Asia/Tokyo",  # no zone may matter
    }
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(OWN_SETTINGS):  # a person's own cluster takes no part
                patch.delenv(name)
        patch.setenv("SPARK_LOCAL_IP", LOOPBACK)  # else it asks the network for this machine's name
        builder = SparkSession.builder.master("local[2]").appName("parity").config(map=settings)
        session = builder.getOrCreate()
        yield session
        session.stop()
