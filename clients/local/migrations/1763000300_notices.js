// One notice in both languages; `published` orders them and may lie in the future.
migrate(
  (app) => {
    app.save(
      new Collection({
        type: "base",
        name: "notices",
        listRule: "",
        viewRule: "",
        fields: [
          { type: "text", name: "en", required: true, max: 1000 },
          { type: "text", name: "zh", required: true, max: 1000 },
          { type: "date", name: "published", required: true },
          { type: "autodate", name: "created", onCreate: true },
          { type: "autodate", name: "updated", onCreate: true, onUpdate: true },
        ],
        indexes: ["CREATE INDEX idx_notices_published ON notices (published)"],
      }),
    );
  },
  (app) => {
    app.delete(app.findCollectionByNameOrId("notices"));
  },
);
