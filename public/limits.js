// How long texts may be: the same as in the recipes' `input`.

export const LIMITS = {
  title: 200,
  note: 5000,
  comment: 2000,
  name: 80,
  email: 255,
  password: { least: 8, most: 71 },
  search: 100,
  person: 80,
  due: { first: "1970-01-01", last: "9999-12-31" },
};
