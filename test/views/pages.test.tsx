import { describe, expect, test } from "bun:test";
import { ErrorPage } from "../../src/views/error-page.tsx";
import { ContainmentBanner, type Frame, renderDocument } from "../../src/views/layout.tsx";
import { LoginPage } from "../../src/views/login.tsx";
import { renderHtml } from "../../src/views/render.ts";

const frame: Frame = {
  assetUrl: (name) => `/assets/${name}`,
  version: "1.2.3",
  containment: { rung: "bwrap", degradedBecause: null, sandboxOff: false },
  attention: 0,
};
const hostile = `"><script>alert(1)</script><b a='`;
const escaped = "&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;b a=&#39;";

describe("foreign text in a page", () => {
  test.each([
    ["an error page's detail", <ErrorPage frame={frame} status={404} title="No" detail={hostile} />],
    ["where a login leads to", <LoginPage frame={frame} next={hostile} problem={null} />],
  ])("%s is text", (_, view) => {
    const html = renderHtml(view);

    expect(html).toContain(escaped);
    expect(html).not.toContain("<script>alert");
  });
});

describe("the banner", () => {
  const banner = (containment: Frame["containment"]) =>
    renderHtml(<ContainmentBanner containment={containment} />);

  test("is absent while containment is as good as it gets", () => {
    expect(banner(frame.containment)).not.toContain("banner");
  });

  test("says that the sandbox is off", () => {
    expect(banner({ ...frame.containment, sandboxOff: true })).toContain("The sandbox is off.");
  });

  test("says why containment is degraded", () => {
    const degraded = banner({
      rung: "process-group",
      degradedBecause: "bwrap was not found.",
      sandboxOff: false,
    });

    expect(degraded).toContain("process-group");
    expect(degraded).toContain("bwrap was not found.");
  });
});

describe("a whole page", () => {
  test("is a document that needs no scripts before anybody is logged in", () => {
    const html = renderDocument(<LoginPage frame={frame} next="/" problem="This token is not right." />);

    expect(html).toStartWith('<!doctype html><html lang="en">');
    expect(html).not.toContain("<script");
    expect(html).toContain('aria-invalid="true"');
    expect(html).toContain("This token is not right.");
  });
});
