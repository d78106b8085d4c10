// The todos as lists show them: `due_last` sorts those without a due date behind the others, which `due`,
// an empty text then, would put first.
migrate(
  (app) => {
    app.save(
      new Collection({
        type: "view",
        name: "todo_list",
        listRule: "",
        viewRule: "",
        viewQuery: `
          SELECT id, title, note, status, due, owner, helper, finished, created, updated,
                 CAST(COALESCE(NULLIF(due, ''), '9999') AS TEXT) AS due_last
          FROM todos
        `,
      }),
    );
  },
  (app) => {
    app.delete(app.findCollectionByNameOrId("todo_list"));
  },
);
