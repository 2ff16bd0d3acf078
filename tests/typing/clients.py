"""What the clients promise: the normal run of pyright checks every `assert_type` here."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import assert_type

from twelvefold.client import (
    AgentInfo,
    AsyncClient,
    Client,
    ContactInfo,
    ContextInfo,
    Decided,
    ThreadInfo,
    VerifiedInfo,
)
from twelvefold.thread import Event


def blocking(client: Client) -> None:
    assert_type(client.launch("bot", "go"), ThreadInfo)
    assert_type(client.threads(), Iterator[ThreadInfo])
    assert_type(client.events("t1"), Iterator[Event])
    assert_type(client.follow("t1", after=3), Iterator[Event])
    assert_type(client.send("t1", "hi").waits[0].kind, str)
    assert_type(client.contacts(to="me"), Iterator[ContactInfo])
    assert_type(client.answer(client.contact("t1.s1.1"), "approve").decided, Decided | None)
    assert_type(client.context("t1", 7), ContextInfo)
    assert_type(client.verify("t1"), VerifiedInfo)
    assert_type(client.agents(), Iterator[AgentInfo])


async def waiting(client: AsyncClient) -> None:
    assert_type(await client.launch("bot", "go"), ThreadInfo)
    assert_type(client.threads(), AsyncIterator[ThreadInfo])
    assert_type(client.follow("t1"), AsyncGenerator[Event])
    assert_type(await client.fork("t1", 3, edits={1: {"text": "b"}}), ThreadInfo)
    async with client as same:
        assert_type(same, AsyncClient)
    async for contact in client.contacts():
        assert_type(contact, ContactInfo)
