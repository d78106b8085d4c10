// The todos in the orders that people ask for: `ended` puts what is finished or closed behind what is to be done, and
// `title_order` "apple" before "Zebra".
migrate(
  (app) => {
    const list = app.findCollectionByNameOrId("todo_list");
    list.viewQuery = `
      SELECT id, title, note, status, due, owner, helper, finished, created, updated,
             CAST(COALESCE(NULLIF(due, ''), '9999') AS TEXT) AS due_last,
             CAST(status IN ('done', 'closed') AS INTEGER) AS ended,
             CAST(LOWER(title) AS TEXT) AS title_order
      FROM todos
    `;
    app.save(list);
  },
  (app) => {
    const list = app.findCollectionByNameOrId("todo_list");
    list.viewQuery = `
      SELECT id, title, note, status, due, owner, helper, finished, created, updated,
             CAST(COALESCE(NULLIF(due, ''), '9999') AS TEXT) AS due_last
      FROM todos
    `;
    app.save(list);
  },
);
