package io.llamaorch.orchestratord.server;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** The arrows of ARCHITECTURE.md. */
class ArchitectureTest {
    private static final String ROOT = "io.llamaorch.orchestratord.";
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("io.llamaorch.orchestratord");

    @Test
    void shouldKeepTheCoreFreeOfTheOutsideWorld() {
        classes()
                .that()
                .resideInAPackage(ROOT + "scheduler.core..")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        ROOT + "scheduler.core..",
                        ROOT + "contracts..",
                        "java.lang..",
                        "java.util",
                        "java.util.function",
                        "org.jspecify..")
                .check(CLASSES);
        noClasses()
                .that()
                .resideInAPackage(ROOT + "scheduler.core..")
                .should()
                .callMethod(System.class, "nanoTime")
                .orShould()
                .callMethod(System.class, "currentTimeMillis")
                .orShould()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.util.Random")
                .check(CLASSES);
    }

    @Test
    void shouldPointOnlyDownwards() {
        noClasses()
                .that()
                .resideInAPackage(ROOT + "contracts..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(ROOT + "scheduler..", ROOT + "adapters..", ROOT + "artifacts..", ROOT + "server..")
                .check(CLASSES);
        noClasses()
                .that()
                .resideInAPackage(ROOT + "scheduler..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(ROOT + "adapters..", ROOT + "artifacts..", ROOT + "server..", "io.netty..")
                .check(CLASSES);
        noClasses()
                .that()
                .resideInAPackage(ROOT + "adapters..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(ROOT + "scheduler..", ROOT + "artifacts..", ROOT + "server..", "com.lmax..")
                .check(CLASSES);
        classes()
                .that()
                .resideInAPackage(ROOT + "artifacts..")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        ROOT + "artifacts..",
                        ROOT + "contracts..",
                        "java..",
                        "com.fasterxml.jackson.core..",
                        "org.jctools..",
                        "org.jspecify..")
                .check(CLASSES);
        noClasses()
                .that()
                .resideInAPackage(ROOT + "server.artifact..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("java.nio.file..", "java.nio.channels..")
                .check(CLASSES);
        noClasses()
                .that()
                .resideInAPackage(ROOT + "server.sse..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(ROOT + "server.http..", ROOT + "server.task..", ROOT + "scheduler.ring..")
                .check(CLASSES);
        noClasses()
                .that()
                .resideInAPackage(ROOT + "server.http..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(ROOT + "server.sse..", ROOT + "server.task..", ROOT + "scheduler..")
                .check(CLASSES);
    }

    @Test
    void shouldHaveNoCycleBetweenPackages() {
        slices().matching(ROOT + "server.(*)..").should().beFreeOfCycles().check(CLASSES);
        slices().matching(ROOT + "artifacts.(*)..").should().beFreeOfCycles().check(CLASSES);
        slices().matching(ROOT + "adapters.(*)..").should().beFreeOfCycles().check(CLASSES);
    }
}
