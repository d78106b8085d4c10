// One picture of each person, shown to everybody who signed in. Its id is the person's: whoever knows the person
// knows the row, and nobody has two. Bodies of uploads reach this backend unread, so these rules must make every
// field of them harmless.
migrate(
  (app) => {
    const signedIn = "@request.auth.id != ''";
    const mine = `${signedIn} && person = @request.auth.id`;

    app.save(
      new Collection({
        type: "base",
        name: "pictures",
        listRule: signedIn,
        viewRule: signedIn,
        createRule: `${mine} && id = @request.auth.id`,
        updateRule: `${mine} && (@request.body.person:isset = false || @request.body.person = person)`,
        deleteRule: mine,
        fields: [
          {
            type: "relation",
            name: "person",
            required: true,
            collectionId: app.findCollectionByNameOrId("people").id,
            cascadeDelete: true,
            maxSelect: 1,
          },
          {
            type: "file",
            name: "file",
            required: true,
            maxSelect: 1,
            maxSize: 2 * 1024 * 1024,
            mimeTypes: ["image/png", "image/jpeg", "image/webp"],
            thumbs: ["128x128"],
          },
          { type: "autodate", name: "created", onCreate: true },
          { type: "autodate", name: "updated", onCreate: true, onUpdate: true },
        ],
        indexes: ["CREATE UNIQUE INDEX idx_pictures_person ON pictures (person)"],
      }),
    );
  },
  (app) => {
    app.delete(app.findCollectionByNameOrId("pictures"));
  },
);
