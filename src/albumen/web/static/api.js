// The server, as the page sees it. Everything that fails throws a Problem.

const JSON_TYPE = { "Content-Type": "application/json" };

export class Problem extends Error {
  constructor(body) {
    super(body.detail ?? body.code);
    this.body = body;
    this.code = body.code;
  }
}

async function call(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ code: "offline" });
  }
  if (response.status === 204) return null;
  const body = await response.json().catch(() => ({ code: "offline", title: response.statusText || undefined }));
  if (!response.ok) throw new Problem(body);
  return body;
}

const send = (method, path, body) => call(path, { method, headers: JSON_TYPE, body: JSON.stringify(body) });
const photoPath = (id) => `api/v1/photos/${encodeURIComponent(id)}`;

export const readSession = () => call("api/v1/session");
export const logIn = (key) => send("POST", "api/v1/session", { key });
export const logOut = () => call("api/v1/session", { method: "DELETE" });
export const readStats = () => call("api/v1/stats");
export const listDatasets = () => call("api/v1/datasets");
export const readPhoto = (id) => call(photoPath(id));
export const renamePhoto = (id, name) => send("PATCH", photoPath(id), { name });
export const deletePhoto = (id) => call(photoPath(id), { method: "DELETE" });
export const restorePhoto = (id) => call(`${photoPath(id)}/restore`, { method: "POST" });

export function listPhotos({ dataset, name, cursor, signal }) {
  const query = new URLSearchParams({ limit: "100" });
  if (dataset) query.set("dataset", dataset);
  if (name) query.set("name", name);
  if (cursor) query.set("cursor", cursor);
  return call(`api/v1/photos?${query}`, { signal });
}

// The page asks its own origin for bytes, whatever address the links to copy begin with.
export const photoBytes = (id, parameter) => `get/${encodeURIComponent(id)}?${parameter}`;

// Answers with the report of the upload; also when the server took only a part of the photos.
export async function upload(files, { dataset, signal }) {
  const form = new FormData();
  form.append("dataset", dataset);
  for (const file of files) form.append("file", file, file.name);
  try {
    return { problem: null, ...(await call("upload", { method: "POST", body: form, signal })) };
  } catch (error) {
    if (!(error instanceof Problem) || !Array.isArray(error.body.photos)) throw error;
    return { ...error.body, problem: error.code === "all_rejected" ? null : error };
  }
}
