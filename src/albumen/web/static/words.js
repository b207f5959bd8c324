// Every string of the page in English and in Russian, and numbers as people write them.

const ENGLISH = {
  skip: "To the photos",
  search: "Search by a part of the name or by id",
  searchHint: "Name or id",
  dataset: "Dataset",
  allDatasets: "All datasets",
  docs: "API",
  leave: "Log out",
  upload: "Upload photos",
  dropHere: "Drop photos or folders here.",
  receipt: "Each gets a link once it is safely on disk.",
  choose: "Choose photos",
  into: "into the dataset",
  progress: "Progress of the upload",
  created: "new",
  duplicate: "there already",
  rejected: "not taken",
  time: "time",
  copyLinks: "Copy the links",
  copyLink: "Copy the link",
  copied: "Copied",
  copyByHand: "The browser does not let this page copy. Select the text and copy it yourself.",
  retry: "Send again what failed",
  stop: "Stop",
  close: "Close",
  links: "Links",
  rejects: "Not taken, and why",
  moreRejects: ({ count }) => `and ${count} more`,
  unreadable: "This device does not let the page read it.",
  reading: ({ count }) => `Looking through folders: ${count}`,
  sending: ({ done, count }) => `${done} of ${count}`,
  finished: ({ count }) => `Done: ${count}`,
  failed: ({ count, reason }) => `${count} could not be sent. ${reason}`,
  stopped: "Stopped. What was sent is kept.",
  photos: "Photos",
  totals: ({ photos, bytes }) => `${photos} · ${bytes}`,
  more: "More",
  emptyTitle: "No photos yet",
  emptyHint: "Choose some on this device, or drop them anywhere on this page.",
  emptyForViewer: "They appear here as soon as somebody uploads them.",
  nothingTitle: "Nothing found",
  nothingHint: "Try a shorter part of the name, or another dataset.",
  previous: "Previous photo",
  following: "Next photo",
  download: "Download",
  rename: "Rename",
  newName: "New name",
  save: "Save",
  delete: "Delete",
  deleted: ({ name }) => `${name} is in the trash.`,
  restored: ({ name }) => `${name} is back.`,
  undo: "Undo",
  askKey: "This server wants a key",
  askHint: "Paste the key that you were given. It begins with alb_.",
  key: "Key",
  enter: "Enter",
  offline: "The server cannot be reached.",
};

const RUSSIAN = {
  skip: "К фотографиям",
  search: "Искать по части имени или по id",
  searchHint: "Имя или id",
  dataset: "Набор",
  allDatasets: "Все наборы",
  docs: "API",
  leave: "Выйти",
  upload: "Загрузить фотографии",
  dropHere: "Перетащите сюда фотографии или папки.",
  receipt: "Каждая получит ссылку, как только надёжно ляжет на диск.",
  choose: "Выбрать фотографии",
  into: "в набор",
  progress: "Ход загрузки",
  created: "новых",
  duplicate: "уже были",
  rejected: "не приняты",
  time: "время",
  copyLinks: "Скопировать ссылки",
  copyLink: "Скопировать ссылку",
  copied: "Скопировано",
  copyByHand: "Браузер не даёт странице копировать. Выделите текст и скопируйте сами.",
  retry: "Отправить ещё раз то, что не прошло",
  stop: "Остановить",
  close: "Закрыть",
  links: "Ссылки",
  rejects: "Что не принято и почему",
  moreRejects: ({ count }) => `и ещё ${count}`,
  unreadable: "Устройство не даёт странице прочитать этот файл.",
  reading: ({ count }) => `Просматриваем папки: ${count}`,
  sending: ({ done, count }) => `${done} из ${count}`,
  finished: ({ count }) => `Готово: ${count}`,
  failed: ({ count, reason }) => `Не удалось отправить: ${count}. ${reason}`,
  stopped: "Остановлено. Отправленное сохранено.",
  photos: "Фотографии",
  totals: ({ photos, bytes }) => `${photos} · ${bytes}`,
  more: "Ещё",
  emptyTitle: "Фотографий пока нет",
  emptyHint: "Выберите их на этом устройстве или перетащите в любое место страницы.",
  emptyForViewer: "Они появятся здесь, как только их кто-нибудь загрузит.",
  nothingTitle: "Ничего не нашлось",
  nothingHint: "Попробуйте часть имени покороче или другой набор.",
  previous: "Предыдущая фотография",
  following: "Следующая фотография",
  download: "Скачать",
  rename: "Переименовать",
  newName: "Новое имя",
  save: "Сохранить",
  delete: "Удалить",
  deleted: ({ name }) => `${name} — в корзине.`,
  restored: ({ name }) => `${name} снова на месте.`,
  undo: "Вернуть",
  askKey: "Этому серверу нужен ключ",
  askHint: "Вставьте ключ, который вам дали. Он начинается с alb_.",
  key: "Ключ",
  enter: "Войти",
  offline: "Сервер недоступен.",
};

// The server's own words are English; these say the same for each code that the page can meet.
const PROBLEMS_IN_RUSSIAN = {
  empty: "Пустой файл",
  not_a_photo: "Это не фотография",
  truncated: "Файл обрывается на середине",
  too_large: "Слишком большой файл",
  too_many_pixels: "Слишком много пикселей",
  too_many_frames: "Слишком много кадров",
  too_many_photos: "Слишком много фотографий в одном запросе",
  malformed_body: "Запрос оборвался на середине",
  invalid_parameter: "Недопустимое значение",
  photo_not_found: "Такой фотографии нет",
  dataset_not_found: "Такого набора нет",
  already_in_dataset: "Такая фотография уже есть в наборе",
  key_required: "Нужен действующий ключ",
  role_too_small: "Ключ не даёт такого права",
  cross_origin: "Запрос с чужой страницы",
  unknown_host: "Сервер не отвечает под этим именем",
  storage_full: "На сервере кончилось место",
  busy: "Сервер занят, попробуйте ещё раз",
  storage_unavailable: "Хранилище недоступно",
  blob_damaged: "Фотография на сервере повреждена",
  internal: "Ошибка на сервере",
};

const PHOTOS = {
  en: { one: "photo", other: "photos" },
  ru: { one: "фотография", few: "фотографии", many: "фотографий", other: "фотографии" },
};
const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
const REMEMBERED = "albumen-language";

let language = localStorage.getItem(REMEMBERED) ?? (navigator.language.toLowerCase().startsWith("ru") ? "ru" : "en");

export const currentLanguage = () => language;

export function switchLanguage() {
  language = language === "ru" ? "en" : "ru";
  localStorage.setItem(REMEMBERED, language);
}

export function say(name, values = {}) {
  const text = (language === "ru" ? RUSSIAN : ENGLISH)[name];
  return typeof text === "function" ? text(values) : text;
}

export function sayProblem(problem) {
  const russian = language === "ru" ? PROBLEMS_IN_RUSSIAN[problem.code] : undefined;
  return russian ?? problem.detail ?? problem.title ?? say("offline");
}

export const sayNumber = (value, options) => new Intl.NumberFormat(language, options).format(value);

export function sayPhotos(count) {
  return `${sayNumber(count)} ${PHOTOS[language][new Intl.PluralRules(language).select(count)]}`;
}

export function sayBytes(count) {
  const power = count < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(count) / 3));
  const options = { style: "unit", unit: UNITS[power], maximumSignificantDigits: 3 };
  return sayNumber(count / 1000 ** power, options);
}

export function saySeconds(seconds) {
  return sayNumber(seconds, { style: "unit", unit: "second", unitDisplay: "narrow", maximumFractionDigits: seconds < 1 ? 2 : seconds < 10 ? 1 : 0 });
}

export const sayMoment = (text) =>
  new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(text));

// Writes the strings into the elements that name them: data-text, data-label, data-placeholder.
export function writeWords(root = document) {
  document.documentElement.lang = language;
  for (const element of root.querySelectorAll("[data-text]")) element.textContent = say(element.dataset.text);
  for (const element of root.querySelectorAll("[data-label]")) element.setAttribute("aria-label", say(element.dataset.label));
  for (const element of root.querySelectorAll("[data-placeholder]")) element.placeholder = say(element.dataset.placeholder);
}
