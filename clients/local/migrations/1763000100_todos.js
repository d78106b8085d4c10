// Todos may be read and added by anyone; changing and removing them is the superuser's for now.
migrate(
  (app) => {
    const people = app.findCollectionByNameOrId("people").id;

    app.save(
      new Collection({
        type: "base",
        name: "todos",
        listRule: "",
        viewRule: "",
        createRule: "",
        fields: [
          { type: "text", name: "title", required: true, min: 1, max: 200 },
          { type: "text", name: "note", max: 5000 },
          { type: "select", name: "status", required: true, values: ["open", "done", "paused", "closed"] },
          { type: "date", name: "due" },
          { type: "relation", name: "owner", collectionId: people, maxSelect: 1 },
          { type: "relation", name: "helper", collectionId: people, maxSelect: 1 },
          { type: "date", name: "finished" },
          { type: "autodate", name: "created", onCreate: true },
          { type: "autodate", name: "updated", onCreate: true, onUpdate: true },
        ],
        indexes: [
          "CREATE INDEX idx_todos_created ON todos (created, id)",
          "CREATE INDEX idx_todos_status_created ON todos (status, created)",
          "CREATE INDEX idx_todos_due ON todos (due)",
          "CREATE INDEX idx_todos_owner ON todos (owner, status)",
          "CREATE INDEX idx_todos_helper ON todos (helper, status)",
          "CREATE INDEX idx_todos_finished ON todos (finished)",
        ],
      }),
    );
  },
  (app) => {
    app.delete(app.findCollectionByNameOrId("todos"));
  },
);
