"""Notes, watchlist and projects over HTTP."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib.desk import answers, service
from chalicelib.desk.model import Project
from chalicelib.desk.schemas import (
    NoteAnswer,
    NoteBody,
    NotesAnswer,
    NotesQuery,
    ProjectAnswer,
    ProjectBody,
    ProjectQuery,
    ProjectsAnswer,
    WatchedAnswer,
    WatchlistAnswer,
    WatchQuery,
)
from chalicelib.shared.http import Answer, Call, endpoint

routes = Blueprint(__name__)


@endpoint(
    routes,
    "POST /v1/customers/{customer_id}/notes",
    body=NoteBody,
    answer=NoteAnswer,
    status=201,
    needs_key=True,
    headers=("X-Actor",),
)
def add_note(call: Call[NoteBody, None], customer_id: str) -> NoteAnswer:
    """Write down something about a customer. It is on the timeline of every channel in the next request.

    A key with the scope `staff` may say who is at the desk in `X-Actor`; it is kept with the note.
    """
    return service.add_note(customer_id, call.body, actor=call.actor, key=call.key, now=call.now)


@endpoint(
    routes,
    "GET /v1/customers/{customer_id}/notes",
    me="GET /v1/me/notes",
    query=NotesQuery,
    answer=NotesAnswer,
)
def list_notes(call: Call[None, NotesQuery], customer_id: str) -> NotesAnswer:
    """What was written down about a customer, newest first. Customers see what is meant for them."""
    own = call.caller.customer_id is not None
    return service.notes(customer_id, call.query, own=own, now=call.now)


@endpoint(
    routes,
    "GET /v1/customers/{customer_id}/watchlist",
    me="GET /v1/me/watchlist",
    answer=WatchlistAnswer,
    headers=("Accept-Language",),
)
def read_watchlist(call: Call[None, None], customer_id: str) -> WatchlistAnswer:
    """What a customer keeps an eye on, newest first, from every channel and device of theirs."""
    own = call.caller.customer_id is not None
    return service.watched_items(customer_id, own=own, language=call.language, now=call.now)


@endpoint(
    routes,
    "PUT /v1/customers/{customer_id}/watchlist/{item_id}",
    me="PUT /v1/me/watchlist/{item_id}",
    query=WatchQuery,
    answer=WatchedAnswer,
    headers=("Accept-Language",),
)
def watch_item(call: Call[None, WatchQuery], customer_id: str, item_id: str) -> WatchedAnswer:
    """Put an item on the watchlist. Doing it again changes nothing; the catalogue need not know the item."""
    own = call.caller.customer_id is not None
    return service.watch(
        customer_id, item_id, channel=call.query.channel, own=own, language=call.language, now=call.now
    )


@endpoint(
    routes,
    "DELETE /v1/customers/{customer_id}/watchlist/{item_id}",
    me="DELETE /v1/me/watchlist/{item_id}",
    query=WatchQuery,
    status=204,
)
def unwatch_item(call: Call[None, WatchQuery], customer_id: str, item_id: str) -> Answer:
    """Take an item off the watchlist. Doing it again changes nothing."""
    own = call.caller.customer_id is not None
    service.unwatch(customer_id, item_id, channel=call.query.channel, own=own, now=call.now)
    return Answer("", status=204)


@endpoint(
    routes,
    "GET /v1/customers/{customer_id}/projects",
    me="GET /v1/me/projects",
    answer=ProjectsAnswer,
)
def list_projects(call: Call[None, None], customer_id: str) -> ProjectsAnswer:
    """What a customer has in mind, the project changed last first."""
    own = call.caller.customer_id is not None
    return ProjectsAnswer(data=[answers.project(each) for each in service.projects(customer_id, own=own)])


@endpoint(
    routes,
    "GET /v1/customers/{customer_id}/projects/{project_id}",
    me="GET /v1/me/projects/{project_id}",
    query=ProjectQuery,
    answer=ProjectAnswer,
)
def read_project(call: Call[None, ProjectQuery], customer_id: str, project_id: str) -> Answer:
    """One project. The ETag is for If-Match when you change it.

    Where two customers who each had a project of this id were merged, say which one with `kept_under`, or hear 409.
    """
    own = call.caller.customer_id is not None
    found = service.project(customer_id, project_id, kept_under=call.query.kept_under, own=own)
    return _answer(found, status=200)


@endpoint(
    routes,
    "PUT /v1/customers/{customer_id}/projects/{project_id}",
    me="PUT /v1/me/projects/{project_id}",
    body=ProjectBody,
    query=ProjectQuery,
    answer=ProjectAnswer,
    also=(201,),
    headers=("If-Match",),
)
def put_project(call: Call[ProjectBody, ProjectQuery], customer_id: str, project_id: str) -> Answer:
    """Make a project, or replace it whole: 201 when it is new, 200 when it was there.

    Sending it again changes nothing. With `If-Match` only over the version you read.
    """
    project, is_new = service.put_project(
        customer_id,
        project_id,
        call.body,
        kept_under=call.query.kept_under,
        if_match=call.headers.get("if-match"),
        own=call.caller.customer_id is not None,
        now=call.now,
    )
    return _answer(project, status=201 if is_new else 200)


@endpoint(
    routes,
    "DELETE /v1/customers/{customer_id}/projects/{project_id}",
    me="DELETE /v1/me/projects/{project_id}",
    query=ProjectQuery,
    status=204,
    headers=("If-Match",),
)
def delete_project(call: Call[None, ProjectQuery], customer_id: str, project_id: str) -> Answer:
    """Remove a project. Doing it again changes nothing."""
    if_match = call.headers.get("if-match")
    service.delete_project(customer_id, project_id, kept_under=call.query.kept_under, if_match=if_match)
    return Answer("", status=204)


def _answer(project: Project, *, status: int) -> Answer:
    return Answer(answers.project(project), status=status, headers={"ETag": f'"{project.version}"'})
