// From here on people sign in, and each sees the todos that they own or help with, and nobody else's.
// Rows that nobody owns stay in the database and are seen by the superuser alone.

migrate(
  (app) => {
    const signedIn = "@request.auth.id != ''";
    const mine = `${signedIn} && (owner = @request.auth.id || helper = @request.auth.id)`;
    const ofMyTodo = `${signedIn} && (todo.owner = @request.auth.id || todo.helper = @request.auth.id)`;
    const change = (name, rules) => {
      const collection = app.findCollectionByNameOrId(name);
      for (const [rule, filter] of Object.entries(rules)) collection[rule] = filter;
      app.save(collection);
    };

    change("people", { listRule: signedIn, viewRule: signedIn, createRule: "", updateRule: null, deleteRule: null });
    change("todos", {
      listRule: mine,
      viewRule: mine,
      createRule: `${signedIn} && owner = @request.auth.id`,
      // A helper may change what a todo says, but not whose it is.
      updateRule: `${mine} && (@request.body.owner:isset = false || @request.body.owner = owner)`,
      deleteRule: `${signedIn} && owner = @request.auth.id`,
    });
    change("todo_list", { listRule: mine, viewRule: mine });
    change("comments", {
      listRule: ofMyTodo,
      viewRule: ofMyTodo,
      createRule: `${ofMyTodo} && author = @request.auth.id`,
    });
    change("notices", { listRule: signedIn, viewRule: signedIn });

    // Counts by owner and helper, so that the rule above can choose those that a visitor may see.
    app.delete(app.findCollectionByNameOrId("todo_counts"));
    app.save(
      new Collection({
        type: "view",
        name: "todo_counts",
        listRule: mine,
        viewRule: mine,
        viewQuery: `
          SELECT (owner || '.' || helper || '.' || status) AS id, owner, helper, status, COUNT(*) AS total
          FROM todos GROUP BY owner, helper, status
        `,
      }),
    );

    // How many todos were finished in each quarter of an hour: every time zone's days begin at one.
    app.save(
      new Collection({
        type: "view",
        name: "todo_finished",
        listRule: mine,
        viewRule: mine,
        viewQuery: `
          SELECT (owner || '.' || helper || '.' || (unixepoch(finished) / 900)) AS id, owner, helper,
                 strftime('%Y-%m-%d %H:%M:%S.000Z', (unixepoch(finished) / 900) * 900, 'unixepoch') AS slot,
                 COUNT(*) AS total
          FROM todos WHERE finished != '' GROUP BY owner, helper, unixepoch(finished) / 900
        `,
      }),
    );

    const people = app.findCollectionByNameOrId("people").id;
    app.save(
      new Collection({
        type: "base",
        name: "messages",
        listRule: `${signedIn} && recipient = @request.auth.id`,
        viewRule: `${signedIn} && recipient = @request.auth.id`,
        createRule: `${signedIn} && sender = @request.auth.id && todo.owner = @request.auth.id`,
        fields: [
          { type: "relation", name: "recipient", required: true, collectionId: people, cascadeDelete: true, maxSelect: 1 },
          { type: "relation", name: "sender", required: true, collectionId: people, cascadeDelete: true, maxSelect: 1 },
          {
            type: "relation",
            name: "todo",
            required: true,
            collectionId: app.findCollectionByNameOrId("todos").id,
            cascadeDelete: true,
            maxSelect: 1,
          },
          { type: "text", name: "text", required: true, max: 500 },
          { type: "autodate", name: "created", onCreate: true },
        ],
        indexes: ["CREATE INDEX idx_messages_recipient ON messages (recipient, created)"],
      }),
    );
  },
  (app) => {
    for (const name of ["messages", "todo_finished"]) app.delete(app.findCollectionByNameOrId(name));
  },
);
