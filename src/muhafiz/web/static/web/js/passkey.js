// Passkeys: the browser asks its key, the form carries the answer to the server.
// A form says data-passkey="get" or "create"; its options stand in data-options, or are fetched
// from data-passkey-options when its button is pressed.

const toBytes = text => Uint8Array.from(
  atob(text.replaceAll("-", "+").replaceAll("_", "/")), sign => sign.charCodeAt(0)).buffer;

const toText = bytes => btoa(String.fromCharCode(...new Uint8Array(bytes)))
  .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

const named = list => (list || []).map(each => ({ ...each, id: toBytes(each.id) }));

async function optionsOf(form) {
  if (form.dataset.options) return JSON.parse(form.dataset.options).publicKey;
  const answer = await fetch(form.dataset.passkeyOptions, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error("no options");
  return (await answer.json()).request_options.publicKey;
}

async function made(options) {
  const credential = await navigator.credentials.create({ publicKey: {
    ...options,
    challenge: toBytes(options.challenge),
    user: { ...options.user, id: toBytes(options.user.id) },
    excludeCredentials: named(options.excludeCredentials),
    authenticatorSelection: {
      ...options.authenticatorSelection,
      residentKey: "required", requireResidentKey: true, userVerification: "required",
    },
  } });
  const { response } = credential;
  return {
    id: credential.id, rawId: toText(credential.rawId), type: credential.type,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: {
      clientDataJSON: toText(response.clientDataJSON),
      attestationObject: toText(response.attestationObject),
      transports: response.getTransports ? response.getTransports() : [],
    },
  };
}

async function used(options) {
  const credential = await navigator.credentials.get({ publicKey: {
    ...options,
    challenge: toBytes(options.challenge),
    allowCredentials: named(options.allowCredentials),
  } });
  const { response } = credential;
  return {
    id: credential.id, rawId: toText(credential.rawId), type: credential.type,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: {
      clientDataJSON: toText(response.clientDataJSON),
      authenticatorData: toText(response.authenticatorData),
      signature: toText(response.signature),
      userHandle: response.userHandle ? toText(response.userHandle) : null,
    },
  };
}

async function send(form) {
  const wrong = form.querySelector("[data-passkey-error]");
  wrong.hidden = true;
  try {
    const options = await optionsOf(form);
    const answer = await (form.dataset.passkey === "create" ? made(options) : used(options));
    form.elements.credential.value = JSON.stringify(answer);
    form.submit();
  } catch {
    wrong.hidden = false;
  }
}

if (window.PublicKeyCredential) {
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.querySelector("button[hidden]").hidden = false;
    form.addEventListener("submit", event => {
      event.preventDefault();
      send(form);
    });
  }
}
