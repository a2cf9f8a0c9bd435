import { describe, expect, test } from "bun:test";
import { withoutBrowser } from "../helpers/browser.ts";
import { openChat } from "../helpers/chat.ts";
import { waitFor } from "../helpers/wait.ts";

describe.skipIf(withoutBrowser)("the composer", () => {
  test("sends with Enter, breaks the line with Shift+Enter, and brings the last message back with ↑", async () => {
    await using chat = await openChat();
    const { page } = chat;

    await page.fill("#composer-text", "two");
    await page.press("#composer-text", "Shift+Enter");
    await page.keyboard.type("lines");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".turn.answer.state-succeeded");
    const emptied = await page.inputValue("#composer-text");
    await page.press("#composer-text", "ArrowUp");

    expect(await page.locator(".turn.user .said").innerText()).toBe("two\nlines");
    expect(emptied).toBe("");
    expect(await page.inputValue("#composer-text")).toBe("two\nlines");
    expect(chat.trouble).toEqual([]);
  });

  test("leaves ↑ alone while there is text, and sends nothing that is empty", async () => {
    await using chat = await openChat();
    const { page } = chat;
    await chat.execute("said before");

    await page.fill("#composer-text", "in the making");
    await page.press("#composer-text", "ArrowUp");
    const kept = await page.inputValue("#composer-text");
    await page.fill("#composer-text", "   ");
    await page.press("#composer-text", "Enter");
    await chat.execute("said after");
    await page.waitForSelector(".turn.answer >> text=said after");

    expect(kept).toBe("in the making");
    expect(await page.locator(".turn.user").count()).toBe(2);
  });

  test("keeps a draft over a reload, and lets it go when it was sent", async () => {
    await using chat = await openChat();
    const { page } = chat;

    await page.locator("#composer-text").pressSequentially("half a thou");
    await page.reload();
    const kept = await page.inputValue("#composer-text");
    await page.press("#composer-text", "Enter");
    await page.waitForSelector(".turn.answer.state-succeeded");
    await page.reload();

    expect(kept).toBe("half a thou");
    expect(await page.inputValue("#composer-text")).toBe("");
  });

  test("gets the text of a waiting message back to be edited", async () => {
    await using chat = await openChat();
    const { page } = chat;
    await chat.start("forever");
    await chat.start("frist");
    await chat.start("second");
    await page.waitForSelector(".turn.pending >> nth=1");

    await page.locator(".turn.pending button", { hasText: "Edit" }).first().click();
    await page.waitForURL("**/agents/anna?edit=*");

    expect(await page.inputValue("#composer-text")).toBe("frist");
    expect(await page.locator(".turn.pending .said").allInnerTexts()).toEqual(["second"]);
  });

  test("Escape asks whether to stop, and stops when it is pressed again", async () => {
    await using chat = await openChat();
    const { page } = chat;
    await chat.send("forever");
    await page.waitForSelector(".turn.live .stop");

    await page.press("#composer-text", "Escape");
    const asked = await page.evaluate(() => document.activeElement?.textContent);
    await page.keyboard.press("Tab");
    const takenBack = await page.locator(".turn.live .stop").innerText();
    await page.press("#composer-text", "Escape");
    await page.keyboard.press("Escape");
    await page.waitForSelector(".turn.answer.state-cancelled");

    expect(asked).toBe("Stop? Press Esc again");
    expect(takenBack).toBe("Stop");
    await waitFor(() => page.evaluate(() => document.activeElement?.id === "composer-text"), {
      what: "the focus in the composer",
    });
  });
});
