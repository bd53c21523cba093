"""The house's own pages of signing in; allauth's stand in `web.signin.urls` beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.mfa.adapter import get_adapter
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_user_model, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
    require_safe,
)

from muhafiz.accounts.actions.addresses import ask_address_change, change_address
from muhafiz.accounts.actions.factors import set_password
from muhafiz.accounts.actions.invitations import accept_invitation
from muhafiz.accounts.actions.sessions import confirm_session, end_session, end_sessions
from muhafiz.accounts.actions.tries import STRANGER, begin_letter
from muhafiz.accounts.queries import open_invitation, person
from muhafiz.accounts.tries import tries_key
from muhafiz.common.refusal import Refusal
from muhafiz.jobs.actions.queue import enqueue_job
from muhafiz.web.addresses import asked_next
from muhafiz.web.beginning import first_page
from muhafiz.web.fresh import HELD, View, confirm_first, is_fresh
from muhafiz.web.parts import Task
from muhafiz.web.refusals import sentence
from muhafiz.web.signin.forms import NewPasswordForm
from muhafiz.web.signin.gate import lacking
from muhafiz.web.signin.letters import send_address_check, send_notice
from muhafiz.web.signin.sessions import VISIT, admit, client_address, dismiss
from muhafiz.web.viewer import ViewedRequest

_LONGEST_ADDRESS = 254

#: Sends who did not prove lately who they are to do so, and brings them back.
needs_proof: Callable[[View], View] = reauthentication_required(app="allauth.mfa")


@login_required
@require_safe
def set_up(request: ViewedRequest) -> HttpResponse:
    """What is still to be done before the work begins; then on to the work."""
    left, found = lacking(request.visit), request.visit.person
    if not left:
        return HttpResponseRedirect(first_page(request.viewer))
    tasks = [
        Task(
            _("Choose a password"),
            "done" if not left.password else "next",
            reverse("password") if left.password else "",
            _("At least 12 characters; four words are better than one with signs in it."),
        ),
        Task(
            _("Set up an authenticator app"),
            "done" if found.second_factor else "next",
            reverse("mfa_activate_totp"),
            _("An app on your telephone shows a code that changes every 30 seconds."),
        ),
        Task(
            _("Or add a passkey"),
            "done" if found.second_factor else "next",
            reverse("mfa_add_webauthn"),
            _("A security key, or this device's own lock. Nobody can phish it."),
        ),
    ]
    return render(request, "sign-in/set_up.html", {"tasks": tasks, "left": left})


@login_required
@needs_proof
@sensitive_post_parameters("password1", "password2")
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: ViewedRequest) -> HttpResponse:
    """Choose a password, or another one."""
    row = get_user_model().objects.get(pk=request.visit.person.id)
    form = NewPasswordForm(request.POST if request.method == "POST" else None, user=row)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            set_password(
                person_id=row.pk,
                password=form.cleaned_data["password1"],
                actor=request.viewer,
                now=request.now,
                except_key=request.session[VISIT],
            )
            send_notice(request.visit.person, "password", actor=request.viewer, now=request.now)
        row.refresh_from_db()
        update_session_auth_hash(request, row)
        messages.success(
            request, _("Your password is changed. Everywhere else you are signed out.")
        )
        return redirect("mine")
    context = {"form": form, "first": not request.visit.person.has_password}
    return render(request, "sign-in/password.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def forgotten(request: ViewedRequest) -> HttpResponse:
    """Ask for a letter with a link to choose a new password. One answer for every address."""
    if request.method != "POST":
        return render(request, "sign-in/forgotten.html")
    email = request.POST.get("email", "").strip().lower()
    if not 3 <= len(email) <= _LONGEST_ADDRESS or "@" not in email or not email.isprintable():  # noqa: PLR2004 - a@b
        errors = {"email": _("This is no mail address. Write it like name@example.org.")}
        context = {"errors": errors, "email": email[:_LONGEST_ADDRESS]}
        return render(request, "sign-in/forgotten.html", context, status=400)
    with transaction.atomic():
        begin_letter(account=email, address=client_address(request), now=request.now)
        key = f"web.send_reset:{tries_key('letter', email)}"
        enqueue_job(
            "web.send_reset", {"email": email}, actor=STRANGER, now=request.now, unique_key=key
        )
    return redirect("account_reset_password_done")


@require_safe
def forgotten_sent(request: HttpRequest) -> HttpResponse:
    """The answer, the same for every address."""
    return render(request, "sign-in/forgotten_sent.html")


@require_GET
def password_chosen(request: HttpRequest) -> HttpResponse:
    """After a new password was chosen by letter: now sign in with it."""
    messages.success(request, _("Your password is changed. Sign in with it."))
    return redirect("account_login")


@login_required
@require_safe
def app_picture(request: HttpRequest) -> HttpResponse:
    """The square code that an authenticator app photographs, while it is being set up."""
    kept = request.session.get(SECRET_SESSION_KEY)
    if not kept:
        raise Http404
    adapter = get_adapter()
    address = adapter.build_totp_url(request.user, adapter.decrypt(kept))
    return HttpResponse(adapter.build_totp_svg(address), content_type="image/svg+xml")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def confirm_in_demonstration(request: ViewedRequest) -> HttpResponse:
    """In the demonstration nobody has a password: a button stands for it."""
    if not settings.DEMONSTRATION:
        raise Http404
    if request.method != "POST":
        return render(request, "sign-in/confirm_button.html")
    confirm_session(key=request.session[VISIT], way="button", actor=request.viewer, now=request.now)
    return HttpResponseRedirect(asked_next(request, reverse("begin")))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_again(request: ViewedRequest) -> HttpResponse:
    """For who has nothing to prove themselves with here: sign out, and in again."""
    if request.method != "POST":
        return render(request, "sign-in/again.html")
    dismiss(request)
    return redirect("account_login")


@login_required
@require_GET
def go_on(request: ViewedRequest) -> HttpResponse:
    """Offer to do what was put aside, now that it is known who asks."""
    held: dict[str, Any] | None = request.session.get(HELD)
    if held is None:
        return redirect("begin")
    if not is_fresh(request):
        return confirm_first(request)
    del request.session[HELD]
    return render(request, "sign-in/go_on.html", {"held": held})


@login_required
@require_POST
def session_end(request: ViewedRequest, session_id: int) -> HttpResponse:
    """Sign one of one's own browsers out, or one of somebody's one looks after."""
    if end_session(session_id=session_id, actor=request.viewer, now=request.now):
        messages.success(request, _("That browser is signed out."))
    return HttpResponseRedirect(asked_next(request, reverse("mine")))


@login_required
@require_POST
def sessions_end(request: ViewedRequest) -> HttpResponse:
    """Sign out everywhere but here."""
    ended = end_sessions(
        person_id=request.visit.person.id,
        why="revoked",
        actor=request.viewer,
        now=request.now,
        except_key=request.session[VISIT],
    )
    messages.success(request, _("Signed out elsewhere: {count}.").format(count=ended))
    return redirect("mine")


@login_required
@needs_proof
@require_http_methods(["GET", "HEAD", "POST"])
def address(request: ViewedRequest) -> HttpResponse:
    """Ask for another mail address; a letter to it must be answered first."""
    if request.method != "POST":
        return render(request, "sign-in/address.html")
    email = request.POST.get("email", "").strip()
    found = request.visit.person
    try:
        with transaction.atomic():
            begin_letter(account=f"of {found.id}", address=client_address(request), now=request.now)
            token = ask_address_change(email=email, actor=request.viewer, now=request.now)
            if token is not None:
                path = reverse("address-confirm", args=[token])
                send_address_check(
                    found, email=email, path=path, actor=request.viewer, now=request.now
                )
    except Refusal as refusal:
        context = {"errors": {"email": sentence(refusal)}, "email": email[:_LONGEST_ADDRESS]}
        return render(request, "sign-in/address.html", context, status=400)
    messages.success(request, _("A letter is on its way to the new address. Open its link."))
    return redirect("mine")


@require_http_methods(["GET", "HEAD", "POST"])
def address_confirm(request: ViewedRequest, token: str) -> HttpResponse:
    """The letter's link: opening it uses nothing up, the button does."""
    if request.method != "POST":
        return render(request, "sign-in/address_confirm.html")
    with transaction.atomic():
        actor, former = change_address(token=token, now=request.now)
        found = person(int(actor.identifier))
        if found is not None:
            at_former = replace(found, email=former)
            send_notice(at_former, "address", actor=actor, now=request.now)
    messages.success(request, _("Your address is changed. Sign in with it."))
    return redirect("account_login")


@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: ViewedRequest, token: str) -> HttpResponse:
    """An invitation's link: opening it uses nothing up, the button does."""
    if request.method != "POST":
        invited = open_invitation(token, now=request.now)
        status = 200 if invited else 404
        return render(request, "sign-in/invitation.html", {"invited": invited}, status=status)
    actor = accept_invitation(token=token, now=request.now)
    admit(request, actor, way="invitation")
    return redirect("set-up")


@login_required
@require_safe
def mine(request: ViewedRequest) -> HttpResponse:
    """To the page about oneself, in one's own face; while one is set up, to that."""
    if lacking(request.visit):
        return redirect("set-up")
    return redirect("portal-me" if request.viewer.organization_id is not None else "me")
