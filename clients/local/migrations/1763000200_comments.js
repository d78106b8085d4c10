// A comment goes when its todo goes.
migrate(
  (app) => {
    app.save(
      new Collection({
        type: "base",
        name: "comments",
        listRule: "",
        viewRule: "",
        fields: [
          {
            type: "relation",
            name: "todo",
            required: true,
            collectionId: app.findCollectionByNameOrId("todos").id,
            cascadeDelete: true,
            maxSelect: 1,
          },
          {
            type: "relation",
            name: "author",
            collectionId: app.findCollectionByNameOrId("people").id,
            maxSelect: 1,
          },
          { type: "text", name: "text", required: true, min: 1, max: 2000 },
          { type: "autodate", name: "created", onCreate: true },
          { type: "autodate", name: "updated", onCreate: true, onUpdate: true },
        ],
        indexes: ["CREATE INDEX idx_comments_todo ON comments (todo, created)"],
      }),
    );
  },
  (app) => {
    app.delete(app.findCollectionByNameOrId("comments"));
  },
);
