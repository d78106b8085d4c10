// How many todos there are of each status, counted by the database.
migrate(
  (app) => {
    app.save(
      new Collection({
        type: "view",
        name: "todo_counts",
        listRule: "",
        viewRule: "",
        viewQuery: "SELECT status AS id, status, COUNT(*) AS total FROM todos GROUP BY status",
      }),
    );
  },
  (app) => {
    app.delete(app.findCollectionByNameOrId("todo_counts"));
  },
);
