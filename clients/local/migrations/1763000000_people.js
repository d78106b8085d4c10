// People are an auth collection from the start: who signs in later is the person that todos already point to.
// Reading is open; nobody can sign up, change or remove people but the superuser.
migrate(
  (app) => {
    app.delete(app.findCollectionByNameOrId("users"));

    app.save(
      new Collection({
        type: "auth",
        name: "people",
        listRule: "",
        viewRule: "",
        fields: [
          { type: "text", name: "name", required: true, min: 1, max: 80 },
          { type: "autodate", name: "created", onCreate: true },
          { type: "autodate", name: "updated", onCreate: true, onUpdate: true },
        ],
        indexes: ["CREATE INDEX idx_people_name ON people (name)"],
      }),
    );
  },
  (app) => {
    app.delete(app.findCollectionByNameOrId("people"));
  },
);
